import { Type } from "@sinclair/typebox";
import { CREDENTIAL_HEADER, USERNAME } from "./credential-formats";
import { bearerToken, entry, headerValue, password, pem, text } from "./schema-parts";

/** What a hook's requests carry beside the signature. Each secret part: a literal, `env:NAME` or `file:PATH`. */
export const CredentialsSchema = entry(
  {
    bearer: Type.Optional(bearerToken({ description: "Sent as `Authorization: Bearer …`." })),
    basic: Type.Optional(
      entry(
        {
          username: text(USERNAME, { description: "Without a colon (RFC 7617)." }),
          password: password({ description: "The password; user name and password are sent as UTF-8." }),
        },
        { description: "Sent as `Authorization: Basic …`; instead of bearer." },
      ),
    ),
    header: Type.Optional(
      entry(
        {
          name: text(CREDENTIAL_HEADER, { description: "Its name, such as `X-Api-Key`." }),
          value: headerValue({ description: "Its value." }),
        },
        { description: "A header of its own; none of those that are set here." },
      ),
    ),
    client_certificate: Type.Optional(
      entry(
        {
          certificate: pem({ description: "PEM: the certificate, then its chain where the receiver needs it." }),
          key: pem({ description: "PEM: its private key, without a passphrase." }),
        },
        { description: "Shown to a receiver that asks for one (mutual TLS)." },
      ),
    ),
  },
  { description: "What the requests carry beside the signature; read for each use, so that a changed file counts." },
);

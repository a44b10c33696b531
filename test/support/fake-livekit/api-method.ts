import type { JsonObject } from "../../../src/domain/json";
import { sipAdmin } from "./access-token";
import type { Json, Schema } from "./proto-json";
import type { MethodContext } from "./state";
import { TwirpFailure } from "./twirp-failure";

/** A method of the API: what it takes and answers, who may call it, what it does. */
export type ApiMethod = {
  readonly takes: Schema;
  readonly answers: Schema;
  readonly mayCall: (grants: JsonObject, request: Json) => boolean;
  readonly run: (request: Json, context: MethodContext) => Json | Promise<Json>;
};

/** A method of the SIP service: needs `sip.admin`, and a LiveKit with Redis. */
export const sipMethod = (takes: Schema, answers: Schema, run: ApiMethod["run"]): ApiMethod => ({
  takes,
  answers,
  mayCall: sipAdmin,
  run(request, context) {
    if (!context.state.redis) throw new TwirpFailure("internal", "sip not connected (redis required)");
    return run(request, context);
  },
});

import { Elysia } from "elysia";
import { createCurrentAuthenticator, type AuthOptions, type AuthPlugin } from "../plugins/auth";
import { configLoader, type Config } from "../plugins/config-loader";
import { explain } from "../plugins/explain";
import { health } from "../plugins/health";
import { history } from "../plugins/history";
import { hooksStore } from "../plugins/hooks-store";
import { httpErrors } from "../plugins/http-errors";
import { metrics } from "../plugins/metrics";
import { openapiDocs } from "../plugins/openapi-docs";
import { pluginRoutes } from "../plugins/plugin-host";
import { signingKey } from "../plugins/signing-key";
import { sipOff } from "../plugins/sip-off";
import { hookTest } from "../plugins/webhook-forwarder/hook-test";
import { receiver } from "../plugins/webhook-forwarder/receiver";
import packageJson from "../package.json" with { type: "json" };
import type { Clock } from "./contracts/clock";
import type { Current } from "./contracts/current";
import type { Logger } from "./contracts/logger";
import type { Measures } from "./contracts/measures";
import type { Credentials } from "./app-parts";
import type { Sip } from "./create-sip";

export type RouteOptions = {
  readonly config: Config;
  readonly authPlugin: AuthPlugin;
  readonly authOptions: Current<AuthOptions>;
  readonly sip: Sip | undefined;
  readonly keys: readonly Credentials[];
  readonly notReady: () => Promise<readonly string[]>;
  readonly measures: Measures;
  readonly traced: boolean;
  readonly clock: Clock;
  readonly log: Logger;
};

/** `webhooks` and `management` have the health checks, each, because each is watched. */
export function routes({ notReady, log, ...options }: RouteOptions, which: "all" | "webhooks" | "management") {
  // `normalize` counts here only: with it Elysia would silently strip unknown members of a request.
  return new Elysia({ name: "sayna-sip", normalize: false })
    .use(httpErrors({ log }))
    .use(configLoader({ config: options.config }))
    .use(which === "webhooks" ? nothing() : documentation(options))
    .use(health({ reasons: notReady }))
    .use(which === "management" ? nothing() : webhookRoutes({ ...options, log }))
    .use(which === "webhooks" ? nothing() : managementRoutes({ ...options, log }));
}

const nothing = () => new Elysia({ name: "sayna-sip/nothing" });

function documentation({ authOptions }: Pick<RouteOptions, "authOptions">) {
  const authenticate = createCurrentAuthenticator(authOptions);
  return openapiDocs({ version: packageJson.version, authenticate: (request) => authenticate(request) });
}

function webhookRoutes({ keys, sip, measures, traced, clock, log }: Omit<RouteOptions, "notReady">) {
  return receiver({ keys, take: sip?.intake.take, measures, traced, clock, log });
}

function managementRoutes({ authPlugin, sip, measures, clock, log }: Omit<RouteOptions, "notReady">) {
  return new Elysia({ name: "sayna-sip/management" })
    .use(metrics({ auth: authPlugin, version: packageJson.version, measures, sip: sip?.metrics, clock, log }))
    .use(sip === undefined ? sipOff({ auth: authPlugin }) : sipRoutes({ authPlugin, sip, clock, log }));
}

type SipRouteOptions = Pick<RouteOptions, "authPlugin" | "clock" | "log"> & { readonly sip: Sip };

function sipRoutes({ authPlugin, sip, clock, log }: SipRouteOptions) {
  return new Elysia({ name: "sayna-sip/sip" })
    .use(signingKey({ clock, keys: sip.signingKeys }))
    .use(
      hooksStore({
        auth: authPlugin,
        registry: sip.registry,
        breakerOf: sip.breakerOf,
        rules: sip.rules,
      }),
    )
    .use(hookTest({ auth: authPlugin, log, ...sip.hookTest }))
    .use(history({ auth: authPlugin, clock, log, ...sip.history }))
    .use(explain({ auth: authPlugin, clock, ...sip.explain }))
    .use(pluginRoutes({ auth: authPlugin, plugins: sip.plugins }));
}

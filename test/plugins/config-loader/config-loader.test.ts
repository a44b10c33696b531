import { expect, test } from "bun:test";
import { Elysia } from "elysia";
import { configLoader } from "../../../plugins/config-loader";
import { load } from "./load-text";

test("every handler gets the very configuration, secrets included", async () => {
  const config = load("livekit: {api_key: k, api_secret: s}");
  const plugin = new Elysia({ name: "inner" })
    .use(configLoader({ config }))
    .get("/inner", ({ config: given }) => `${given === config} ${given.livekit.api_secret?.reveal()}`);
  const app = new Elysia()
    .use(configLoader({ config }))
    .use(plugin)
    .get("/", ({ config: given }) => `${given === config} ${given.server.port}`);

  const get = async (path: string): Promise<string> =>
    (await app.handle(new Request(`http://localhost${path}`))).text();
  expect([await get("/"), await get("/inner")]).toEqual(["true 3001", "true s"]);
});

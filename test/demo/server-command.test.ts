import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { serverCommand, serverEnvironment } from "../../src/demo/server-command";

test("the server is this program, found from any directory", () => {
  const [bun = "", main = "", ...rest] = serverCommand("/tmp/some.yaml");
  expect(bun).toBe(process.execPath);
  expect(existsSync(main)).toBe(true);
  expect(rest).toEqual(["serve", "--config", "/tmp/some.yaml"]);
});

test("the user's own settings do not reach it", () => {
  const own = {
    PATH: "/bin",
    HOME: "/root",
    SIP_ROOM_PREFIX: "x-",
    AUTH_REQUIRED: "true",
    LIVEKIT_URL: "wss://example.com",
    PORT: "80",
    HOST: "0.0.0.0",
    DATA_DIR: "/var/lib",
    STORAGE_URL: "postgres://",
    NODE_TLS_REJECT_UNAUTHORIZED: "0",
    NODE_EXTRA_CA_CERTS: "/etc/other.pem",
    https_proxy: "http://proxy",
  };
  expect(serverEnvironment(own, "/tmp/ca.pem")).toEqual({
    PATH: "/bin",
    HOME: "/root",
    NODE_EXTRA_CA_CERTS: "/tmp/ca.pem",
  });
});

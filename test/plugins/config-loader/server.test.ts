import { describe, expect, test } from "bun:test";
import { load, problemsOf } from "./load-text";

describe("server.management", () => {
  test("is not there unless it is asked for; its address is this machine's own", () => {
    expect(load("").server.management).toBeUndefined();
    expect(load("", { MANAGEMENT_PORT: "3002" }).server.management).toEqual({ host: "127.0.0.1", port: 3002 });
    expect(load("server: {management: {port: 0}}\n").server.management).toEqual({ host: "127.0.0.1", port: 0 });
  });

  test.each<[string, Record<string, string>, string]>([
    ["server: {port: 3005, management: {port: 3005}}\n", {}, "server.management.port is server.port, 3005"],
    ["", { MANAGEMENT_PORT: "3001" }, "server.management.port is server.port, 3001"],
    ["server: {management: {host: 10.0.0.1}}\n", {}, "server.management.port is missing"],
    ["", { MANAGEMENT_HOST: "10.0.0.1" }, "server.management.port is missing"],
    ["server: {management: {port: 70000}}\n", {}, "server.management.port must be a whole number from 0 to 65535"],
    ["server: {management: {port: 1, tls: true}}\n", {}, "Unknown key 'tls' in server.management"],
  ])("%j with %j is refused: %s", (yaml, env, message) => {
    const [problem, ...others] = problemsOf(yaml, env);
    expect(problem?.message).toStartWith(message);
    expect(others).toEqual([]);
  });

  test("two free ports are no contradiction", () => {
    expect(load("server: {port: 0, management: {port: 0}}\n").server.port).toBe(0);
  });
});

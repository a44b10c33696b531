import { expect, test } from "bun:test";
import { choosePaint } from "../../src/demo/paint";

const GREEN = "\u001b[32mtext\u001b[39m";

test.each([
  ["a terminal", { isTTY: true }, {}, GREEN],
  ["a terminal with an empty NO_COLOR", { isTTY: true }, { NO_COLOR: "" }, GREEN],
  ["a terminal with NO_COLOR", { isTTY: true }, { NO_COLOR: "1" }, "text"],
  ["a dumb terminal", { isTTY: true }, { TERM: "dumb" }, "text"],
  ["a file or a pipe", {}, {}, "text"],
])("%s", (_, stream, env, expected) => {
  expect(choosePaint(stream, env)("green", "text")).toBe(expected);
});

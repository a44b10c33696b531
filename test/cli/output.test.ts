import { describe, expect, test } from "bun:test";
import { createOutput } from "../../src/cli/output";
import { renderTable } from "../../src/cli/table";
import { visible } from "../../src/cli/visible";

function streams(isTTY: boolean) {
  const written = { out: "", err: "" };
  const stream = (name: "out" | "err") => ({
    isTTY,
    columns: 20,
    write(text: string) {
      written[name] += text;
    },
  });
  return { written, stdout: stream("out"), stderr: stream("err"), env: {} };
}

describe("an output", () => {
  test("has colours on a terminal, unless NO_COLOR is set", () => {
    for (const [isTTY, env, coloured] of [
      [true, {}, true],
      [true, { NO_COLOR: "1" }, false],
      [false, {}, false],
    ] as const) {
      const to = streams(isTTY);
      createOutput({ json: false, ...to, env }).answer({}, (paint) => paint("red", "x"));
      expect(to.written.out.includes("\u001b")).toBe(coloured);
    }
  });

  test("with --json has one document on stdout, and nothing of the rest", () => {
    const to = streams(true);
    const output = createOutput({ json: true, ...to });
    output.note("more");
    output.answer({ a: [1] }, () => "not this");
    expect(to.written).toEqual({ out: '{\n  "a": [\n    1\n  ]\n}\n', err: "more\n" });
  });

  test("shows progress on a terminal only, on one line, and takes it away before the answer", () => {
    const [terminal, pipe] = [streams(true), streams(false)];
    for (const to of [terminal, pipe]) {
      const output = createOutput({ json: false, ...to });
      output.progress("500 deliveries, and more than a line holds");
      output.answer({}, () => "done");
    }
    expect(terminal.written.err).toBe("\r\u001b[2K500 deliveries, and\r\u001b[2K");
    expect(pipe.written).toEqual({ out: "done\n", err: "" });
  });
});

test.each([
  ["a\u001b[2Jb", String.raw`a\u{1b}[2Jb`],
  ["a\nb\r", String.raw`a\nb\u{d}`],
  ["\u202eevil\u2066", String.raw`\u{202e}evil\u{2066}`],
  ["\u009b31m", String.raw`\u{9b}31m`],
  ["Grüße 你好 👋", "Grüße 你好 👋"],
])("%j is shown as %s", (text, shown) => {
  expect(visible(text)).toBe(shown);
});

test("columns are as wide as their widest cell, wide characters counted as two", () => {
  expect(
    renderTable(
      ["A", "B"],
      [
        ["你好", "x"],
        ["abcde", ""],
      ],
      (_, text) => text,
    ),
  ).toEqual(["A      B", "你好   x", "abcde"]);
});

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { validate, ValidationCode, ValidationSeverity } from "dockerfile-utils";
import packageJson from "../../package.json" with { type: "json" };
import { readImage, readStages, restsOf } from "../readme/containerfile";
import { ROOT } from "../readme/readme";

const CONTAINERFILE = readFileSync(join(ROOT, "Containerfile"), "utf8");

/** All rules that the linter has, each of them an error. */
const SETTINGS = {
  deprecatedMaintainer: ValidationSeverity.ERROR,
  directiveCasing: ValidationSeverity.ERROR,
  emptyContinuationLine: ValidationSeverity.ERROR,
  instructionCasing: ValidationSeverity.ERROR,
  instructionCmdMultiple: ValidationSeverity.ERROR,
  instructionEntrypointMultiple: ValidationSeverity.ERROR,
  instructionHealthcheckMultiple: ValidationSeverity.ERROR,
  instructionJSONInSingleQuotes: ValidationSeverity.ERROR,
  instructionWorkdirRelative: ValidationSeverity.ERROR,
};

const lint = (text: string) =>
  validate(text, SETTINGS).map(({ range, message }) => ({ line: range.start.line + 1, message }));

test("the linter finds nothing in the Containerfile", () => {
  expect(lint(CONTAINERFILE)).toEqual([]);
});

test.each([
  ["two health checks", (text: string) => `${text}HEALTHCHECK NONE\n`, ValidationCode.MULTIPLE_INSTRUCTIONS],
  [
    "a relative directory",
    (text: string) => text.replace("WORKDIR /app", "WORKDIR app"),
    ValidationCode.WORKDIR_IS_NOT_ABSOLUTE,
  ],
  ["a port that is none", (text: string) => text.replace("EXPOSE 3001", "EXPOSE 300l"), ValidationCode.INVALID_PORT],
  ["a misspelt flag", (text: string) => text.replace("--retries", "--retry"), ValidationCode.UNKNOWN_HEALTHCHECK_FLAG],
  ["a misspelt instruction", (text: string) => text.replace("VOLUME", "VOLUMES"), ValidationCode.UNKNOWN_INSTRUCTION],
] as const)("it would find %s", (_, change, code) => {
  expect(validate(change(CONTAINERFILE), SETTINGS).map((found) => found.code)).toContain(code);
});

test("no stage has an unpinned base, fetches by ADD, or installs as it likes", () => {
  const stages = readStages();
  expect(stages.filter(({ base }) => !/:\d+\.\d+\.\d+/.test(base) || base.includes("latest"))).toEqual([]);
  expect(stages.flatMap((stage) => restsOf(stage, "ADD"))).toEqual([]);
  expect(stages.flatMap((stage) => restsOf(stage, "RUN")).filter((run) => /curl|wget|sudo|apt|apk/.test(run))).toEqual(
    [],
  );
});

test("the image's labels say what it is, which version, and what it is made of", () => {
  const image = readImage();
  const labels = Object.fromEntries(
    restsOf(image, "LABEL")
      .flatMap((rest) => [...rest.matchAll(/([\w.]+)="([^"]*)"/g)])
      .map(([, name = "", value = ""]) => [name.replace("org.opencontainers.image.", ""), value]),
  );
  const [description = ""] = packageJson.description.split(":");
  expect(labels).toEqual({
    title: packageJson.name,
    description,
    version: packageJson.version,
    "base.name": image.base,
  });
});

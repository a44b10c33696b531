import { expect, test } from "bun:test";
import type { DataDirectoryLook } from "../../plugins/storage/sqlite";
import { judgeDataDirectory } from "../../src/doctor/check-storage";

const MIB = 1024 * 1024;
const WELL: DataDirectoryLook = {
  exists: true,
  unusable: undefined,
  freeBytes: 4096 * MIB,
  lockedBy: "process 4711",
  damage: undefined,
  version: 5,
};

test.each<[string, Partial<DataDirectoryLook>, string[]]>([
  ["that is well", {}, ["ok storage_right"]],
  ["that is not there yet", { exists: false, lockedBy: undefined, version: undefined }, ["ok storage_right"]],
  ["that may not be written", { unusable: "/data may not be written" }, ["problem storage_unusable"]],
  ["whose database is damaged", { damage: "it is not a database" }, ["problem storage_damaged"]],
  ["whose disk has room for the ballast twice", { freeBytes: 32 * MIB }, ["warning disk_nearly_full"]],
  ["whose disk has less", { freeBytes: 32 * MIB - 1 }, ["problem disk_full"]],
  ["with little room", { freeBytes: 512 * MIB - 1 }, ["warning disk_nearly_full"]],
  ["with room enough", { freeBytes: 512 * MIB }, ["ok storage_right"]],
  ["with two of these", { damage: "x", freeBytes: 0 }, ["problem storage_damaged", "problem disk_full"]],
])("a data directory %s", (_, look, expected) => {
  const findings = judgeDataDirectory("/data", { ...WELL, ...look });
  expect(findings.map(({ severity, code }) => `${severity} ${code}`)).toEqual(expected);
});

test("who uses it is said", () => {
  const [finding] = judgeDataDirectory("/data", WELL);
  expect(finding?.what).toBe("The data directory /data can be written, process 4711 uses it; 4096 MiB are free.");
});

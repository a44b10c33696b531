import { expect, test } from "bun:test";
import { WriteGuard } from "../../../plugins/storage/sqlite/write-guard";
import { ManualClock } from "../../support/manual-clock";

const failing = (code: string) => Object.assign(new Error("it failed"), { code });

test.each([
  ["SQLITE_FULL", true],
  // The WAL's index, which a start makes anew, has no room.
  ["SQLITE_IOERR_SHMSIZE", true],
  ["SQLITE_IOERR_WRITE", false],
  ["SQLITE_READONLY", false],
])("%s is a full disk, for which room is made: %p", (code, isFull) => {
  let asked = 0;
  const guard = new WriteGuard({ clock: new ManualClock(), onDiskFull: () => ++asked === 1 });
  let tries = 0;
  const write = () => {
    if (++tries === 1) throw failing(code);
    return "written";
  };
  if (isFull) expect(guard.run(write)).toBe("written");
  else expect(() => guard.run(write)).toThrow("it failed");
  expect(asked).toBe(isFull ? 1 : 0);
});

import { expect, test } from "bun:test";
import { judgeClock } from "../../src/doctor/check-clock";

test.each([
  [0, false, "ok clock_right"],
  [5_000, false, "ok clock_right"],
  [-5_001, false, "warning clock_drifts"],
  [60_000, false, "warning clock_drifts"],
  [60_001, false, "problem clock_differs"],
  [-60_001, false, "problem clock_differs"],
  [0, true, "problem clock_differs"],
  [undefined, true, "problem clock_differs"],
  [undefined, false, "skipped skipped"],
])("LiveKit's clock ahead by %p ms, its token refused: %p", (aheadMs, refused, expected) => {
  const { severity, code } = judgeClock(aheadMs === undefined ? undefined : { aheadMs }, refused);
  expect(`${severity} ${code}`).toBe(expected);
});

test("which one is behind is said", () => {
  expect(judgeClock({ aheadMs: -120_000 }, false).what).toBe(
    "The clocks of this machine and of LiveKit's differ by 120 s: LiveKit's is behind.",
  );
});

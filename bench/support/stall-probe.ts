/**
 * Loaded before the server (`BUN_OPTIONS=--preload …`): how long its event loop was held up. At each SIGUSR2 it writes the
 * longest stall since the one before, in ms, as a log line.
 */
const TICK_MS = 1;
let last = performance.now();
let longest = 0;

function tick(): void {
  const now = performance.now();
  longest = Math.max(longest, now - last - TICK_MS);
  last = now;
}

setInterval(tick, TICK_MS).unref();
process.on("SIGUSR2", () => {
  tick();
  process.stdout.write(`${JSON.stringify({ level: "info", msg: "Longest stall", ms: longest })}\n`);
  longest = 0;
});

import { describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { listAnswer } from "../../../plugins/hooks-store/list-answer";

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
const show = (n: number) => ({ n, text: `"ü" ${n}` });

describe("a list as an answer", () => {
  test.each([0, 1, 249, 250, 251, 500, 501, 3_000])(
    "of %d entries is the JSON of all of them, in order",
    async (count) => {
      const answer = listAnswer("entries", numbers(count), show, { from: 1, to: 2 });
      expect(answer.headers.get("content-type")).toBe("application/json;charset=utf-8");
      expect(await answer.text()).toBe(JSON.stringify({ from: 1, to: 2, entries: numbers(count).map(show) }));
    },
  );

  test("needs no other members", async () => {
    expect(await listAnswer("hooks", [1], show).json()).toEqual({ hooks: [show(1)] });
  });

  test("is made piece by piece, with the event loop given back in between", async () => {
    let shown = 0;
    const most = { inARow: 0 };
    let [turns, before] = [0, 0];
    let running = true;
    function turn(): void {
      turns++;
      most.inARow = Math.max(most.inARow, shown - before);
      before = shown;
      if (running) setImmediate(turn);
    }
    turn();
    const answer = listAnswer("entries", numbers(10_000), (n) => {
      shown++;
      return show(n);
    });
    await answer.text();
    running = false;
    expect(shown).toBe(10_000);
    expect(turns).toBeGreaterThan(20);
    expect(most.inARow).toBeLessThanOrEqual(500);
  });

  test("is not made any further when it is cancelled", async () => {
    let shown = 0;
    const body = listAnswer("entries", numbers(10_000), (n) => ({ n: shown++ + n })).body;
    const reader = body?.getReader();
    await reader?.read();
    await reader?.cancel();
    const made = shown;
    await Bun.sleep(20);
    expect(made).toBeLessThan(2_000);
    expect(shown).toBe(made);
  });

  test("goes out as fast as its client takes it, and ends with the client", async () => {
    let shown = 0;
    const long = "x".repeat(10_000);
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => listAnswer("entries", numbers(100_000), (n) => ({ n: shown++ + n, long })),
    });
    try {
      const socket = connect(Number(server.port), "127.0.0.1");
      socket.on("error", () => {});
      // It asks, and reads nothing.
      socket.pause();
      socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
      const settled = await untilItStops(() => shown);
      // What fits into the socket's buffers, not the gigabyte that it would be.
      expect(settled).toBeGreaterThan(0);
      expect(settled).toBeLessThan(10_000);
      socket.destroy();
      const left = await untilItStops(() => shown);
      expect(left).toBeLessThan(settled + 2_000);
    } finally {
      await server.stop(true);
    }
  });
});

/** The value when it has not changed for a while. */
async function untilItStops(read: () => number): Promise<number> {
  for (let last = -1; ; await Bun.sleep(200)) {
    if (read() === last && last > 0) return last;
    last = read();
  }
}

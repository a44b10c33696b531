import type { IncomingMessage } from "node:http";
import { failure, type Outcome } from "./failure";

/** Delivery rule 5. */
const MAX_READ = 64 * 1024;
const MAX_KEPT = 1024;

/**
 * Reads an answer to its end, or to 64 KiB of its body, whichever comes first: either way its status counts. One that
 * breaks off before is a failure whatever its status was, because the hook did not finish it.
 * The caller destroys the connection of an answer that has not ended.
 */
export function readAnswer(response: IncomingMessage, ended: (outcome: Outcome) => void): void {
  const start: Buffer[] = [];
  let kept = 0;
  let read = 0;

  const answered = (): void =>
    ended({
      kind: "answered",
      status: response.statusCode ?? 0,
      retryAfter: response.headers["retry-after"],
      answerStart: Buffer.concat(start),
    });
  const incomplete = (): void =>
    ended(failure("answer", "ANSWER_INCOMPLETE", "The connection was closed before the end of the answer"));

  response.on("data", (chunk: Buffer) => {
    if (kept < MAX_KEPT) {
      const part = chunk.subarray(0, MAX_KEPT - kept);
      // A copy: the part would keep its whole chunk, up to 64 KiB, in memory.
      start.push(Buffer.from(part));
      kept += part.length;
    }
    read += chunk.length;
    if (read >= MAX_READ) answered();
  });
  const over = (): void => (response.complete ? answered() : incomplete());
  response.on("end", over);
  response.on("error", over);
  response.on("close", over);
}

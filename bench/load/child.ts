import { endsWithUs } from "./leftovers";
import type { LoadJob, LoadResult } from "./generator";
import type { ReceiverAnswer, ReceiverJob } from "./receiver";

/** A process of the bench that does jobs, one at a time. */
export type Child<Job, Result> = { do(job: Job): Promise<Result>; stop(): Promise<void> };

export const startGenerator = (): Child<LoadJob, LoadResult> => startChild("generator.ts");
export const startReceiver = (): Child<ReceiverJob, ReceiverAnswer> => startChild("receiver.ts");

type Message<Result> = { readonly result: Result } | { readonly error: string };

function startChild<Job, Result>(file: string): Child<Job, Result> {
  let answered: (message: Message<Result>) => void = () => {};
  const child = endsWithUs(
    Bun.spawn([process.execPath, new URL(file, import.meta.url).pathname], {
      stdin: "ignore",
      stdout: "inherit",
      stderr: "inherit",
      serialization: "advanced",
      ipc: (message: Message<Result>) => answered(message),
    }),
  );
  return {
    do(job) {
      return new Promise((resolve, reject) => {
        answered = (message) =>
          "error" in message ? reject(new Error(`${file}: ${message.error}`)) : resolve(message.result);
        child.send(job);
      });
    },
    async stop() {
      child.kill();
      await child.exited;
    },
  };
}

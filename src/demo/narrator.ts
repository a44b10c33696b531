import type { Answered } from "./play-call";
import type { Paint } from "./paint";
import type { RecordedCall, TenantName } from "./recorded-calls";
import type { LogLine } from "./server-process";
import type { Received, TenantServer } from "./tenant-server";

export type NarratorOptions = {
  readonly write: (text: string) => void;
  readonly paint: Paint;
  /** By `performance.now()`: the lines count from here. */
  readonly startedAt: number;
};

/** Tells in a terminal what happens, as it happens, in lines of at most 80 characters. */
export class Narrator {
  readonly #write: (text: string) => void;
  readonly #paint: Paint;
  readonly #startedAt: number;

  constructor({ write, paint, startedAt }: NarratorOptions) {
    this.#write = write;
    this.#paint = paint;
    this.#startedAt = startedAt;
  }

  introduce(): void {
    this.#say(
      "",
      this.#paint("bold", "sayna-sip: two tenants, one LiveKit"),
      "",
      "LiveKit sends the webhooks of all its calls to one place. sayna-sip finds the",
      "tenant whose SIP host was called, and delivers the call's events to its server:",
      "kept on disk before they are acknowledged, signed, in order, until they arrive.",
      "",
      "What you see is the real server. Its LiveKit is a recording of real calls, and",
      "nothing leaves this machine.",
      "",
    );
  }

  ready(serverUrl: string, directory: string, tenants: readonly TenantServer[]): void {
    const rows = [
      ["sayna-sip", serverUrl],
      ...tenants.map(({ name, url }) => [this.#tenant(name), `${url}, for calls to ${name}.example.com`]),
      ["data", `${directory}, removed at the end`],
      ["times", "seconds since the demo began"],
    ];
    for (const [name = "", text = ""] of rows) this.#say(`  ${name}${" ".repeat(11 - Bun.stringWidth(name))}${text}`);
  }

  /** A part of the demo, and the calls that come in it. */
  heading(text: string, calls: readonly RecordedCall[]): void {
    const lines = calls.map(
      ({ caller, called, tenant, story }) =>
        `  ${caller} calls ${this.#tenant(tenant, called)} ${this.#paint("dim", `(${story})`)}`,
    );
    this.#say("", this.#paint("bold", text), "", ...lines, "");
  }

  /** LiveKit got an answer. */
  answered({ call, event, status, ms }: Answered): void {
    // The room starts before anybody has joined it: which host was called is not known yet.
    const host = (event.name === "room_started" ? `${call.caller} calls ...` : call.called).padEnd(20);
    this.#line(
      this.#paint("dim", "<- LiveKit "),
      event.name,
      event.tellsHost ? this.#tenant(call.tenant, host) : this.#paint("dim", host),
      status === 200 ? `acknowledged ${showTook(ms)}` : this.#paint("red", `answered ${status ?? "nothing"}`),
    );
  }

  /**
   * A tenant got an event.
   *
   * @param place its place among those of its call that came.
   */
  received({ tenant, signatureProblem }: Received, name: string, place: string): void {
    const right = signatureProblem === undefined;
    const signature = right ? this.#paint("green", "signature verified") : this.#paint("red", "signature WRONG");
    this.#line(this.#tenant(tenant, `-> ${tenant}`), name, place.padEnd(20), signature);
  }

  /** An attempt did not reach its tenant, as the server's log tells. */
  refused(tenant: TenantName, { event_name: name, error, next_try: nextTry }: LogLine): void {
    const [, code = "failed"] = /: ([A-Z_]+):/.exec(String(error)) ?? [];
    const seconds = Math.max(0, Date.parse(String(nextTry)) - Date.now()) / 1000;
    const reason = this.#paint("yellow", code.padEnd(20));
    this.#line(this.#tenant(tenant, `-> ${tenant}`), String(name), reason, `again in ${seconds.toFixed(1)} s`);
  }

  note(text: string): void {
    this.#say(`${this.#time()} ${this.#paint("yellow", text)}`);
  }

  #line(direction: string, name: string, middle: string, end: string): void {
    this.#say(`${this.#time()} ${direction} ${name.padEnd(19)} ${middle} ${end}`);
  }

  /** Seconds since the start. */
  #time(): string {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    return this.#paint("dim", seconds.toFixed(2).padStart(5));
  }

  #tenant(name: TenantName, text: string = name): string {
    return this.#paint(name === "tenant-a" ? "cyan" : "magenta", text);
  }

  #say(...lines: readonly string[]): void {
    this.#write(`${lines.join("\n")}\n`);
  }
}

/** In eight characters at most, so that the line stays within 80. */
function showTook(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

import { describe, expect, test } from "bun:test";
import { hookId, type Hook } from "../../../src/domain/hook";
import { incoming, matchOf, pattern, webhookJson } from "../../support/webhooks";
import { fixed, hook, hooksApi } from "./hooks-api";

const api = hooksApi();
const { get, post } = api;

describe("what is pending", () => {
  const one: Hook = { ...fixed, id: hookId(pattern("one.example.com"), "tenant-a") };

  async function keepEvent(): Promise<void> {
    const participant = { sid: "PA_1", kind: "SIP", attributes: { "sip.callID": "1" } };
    await api.storage.commit(
      [incoming(webhookJson("participant_joined", { participant }), matchOf(one.id), api.clock.now())],
      () => "ordered",
    );
  }

  const pending = async () =>
    (await api.storage.claim(one.id, { now: api.clock.now(), limit: 1, busy: new Set() })).deliveries.length;

  test("stays with the hook when its url is replaced", async () => {
    await post([hook("one.example.com")]);
    await keepEvent();
    await post([hook("one.example.com", "tenant-a", "https://hooks.example/2")]);
    expect(await pending()).toBe(1);
  });

  test("is cancelled when the host goes to another auth_id, and when it is deleted, and the log says so", async () => {
    await post([hook("one.example.com")]);
    await keepEvent();
    await post([hook("one.example.com", "tenant-b")]);
    expect(await pending()).toBe(0);
    expect(api.log.text()).toContain('"cancelled":1');
  });

  test("is cancelled at the start when its hook is gone", async () => {
    await keepEvent();
    await api.loadAgain([fixed]);
    expect(await pending()).toBe(0);
  });

  test("replacing a paused hook by the very same entry resumes it too, and is no change to record", async () => {
    await post([hook("one.example.com")]);
    await api.registry.pause(one.id, "it answered 410");
    expect((await post([hook("one.example.com")])).body.hooks?.at(-1)).toMatchObject({ state: "active" });
    expect(await api.storage.hookVersions(10)).toHaveLength(1);
  });

  test("replacing a paused hook resumes it", async () => {
    await post([hook("one.example.com")]);
    await api.registry.pause(one.id, "it answered 410");
    expect((await get()).body.hooks?.at(-1)).toMatchObject({ state: "paused" });
    const woken: string[] = [];
    api.registry.onChange((hooks) => woken.push(...hooks));
    await post([hook("one.example.com", "tenant-a", "https://hooks.example/2")]);
    expect((await get()).body.hooks?.at(-1)).toMatchObject({ state: "active" });
    expect(woken).toEqual([one.id]);
  });
});

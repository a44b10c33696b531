import { afterEach, beforeEach } from "bun:test";
import { answered, OPS, StartedService } from "../../support/started-service";

export const MINUTE = 60_000;
/** Where the hook of tenant A is. */
export const TO_A = "https://a.example/hook";

/** The service of the test that is running. */
export let it: StartedService;

/** Gives each test of a file a service of its own. */
export function serviceForEach(): void {
  beforeEach(async () => {
    it = await StartedService.start();
  });
  afterEach(() => it.end());
}

export type Delivery = { id: number; event: string; state: string; replay: boolean; [member: string]: unknown };

export const deliveries = async (query = "", token = OPS): Promise<Delivery[]> =>
  (await it.get(`/sip/deliveries${query}`, token)).json.deliveries as Delivery[];

/** Refuses what is sent to tenant A until it is given up. */
export async function giveUpOnA(): Promise<void> {
  it.answer = (url) => answered(url === TO_A ? 400 : 200, "no <such> thing");
  await it.call("RM_a", "one.a.example.com");
  await it.clock.turn(MINUTE);
}

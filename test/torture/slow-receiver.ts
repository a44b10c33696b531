import type { ReceivedRequest } from "../support/received-request";
import { Chance } from "./chance";

/** Takes 5 to 40 ms for each request; the first one of every sixth event is answered 503. */
export function slowAndSometimesFailing(seed: number, tenant: string) {
  return async (request: ReceivedRequest, nth: number) => {
    const chance = Chance.of(seed, `${tenant} ${request.header("webhook-id")} ${nth}`);
    await Bun.sleep(chance.int(5, 40));
    return { status: nth === 0 && chance.happens(1 / 6) ? 503 : 200 };
  };
}

import { badReceivers } from "./bad-receivers";
import { changedAddresses } from "./changed-addresses";
import { clockSteps } from "./clock-steps";
import { deliveryModel } from "./delivery-model";
import { disk } from "./disk";
import { kills } from "./kills";
import { outage, outageWithRestarts } from "./outage";
import { refusedEvent } from "./refused-event";
import type { Scenario } from "./scenario";
import { soak } from "./soak";
import { stoppedProcess } from "./stopped-process";

export const scenarios: readonly Scenario[] = [
  kills,
  badReceivers,
  refusedEvent,
  changedAddresses,
  outage,
  outageWithRestarts,
  clockSteps,
  stoppedProcess,
  disk,
  deliveryModel,
  soak,
];

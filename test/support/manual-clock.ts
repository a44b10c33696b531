export { ManualClock, settle } from "../../src/contracts/testing/manual-clock";

export { createAsking, type Asking, type AskingOptions } from "./asking";
export { createEventIntake, type EventIntake, type EventIntakeOptions, type Webhook } from "./event-intake";

export { createEventIntake, type EventIntake, type EventIntakeOptions, type Webhook } from "./event-intake";

export { createSender, type GuardedSender, type SenderOptions } from "./create-sender";

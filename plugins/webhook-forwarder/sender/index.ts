export { createSender, type SenderOptions } from "./create-sender";

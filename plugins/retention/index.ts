export { createRetention, type RetentionDriver, type RetentionOptions } from "./create-retention";

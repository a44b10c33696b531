import type { Logger } from "../../src/contracts/logger";

export const silentLog: Logger = { debug() {}, info() {}, warn() {}, error() {} };

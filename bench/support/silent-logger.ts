import type { Logger } from "../../src/contracts/logger";

export const silentLogger: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

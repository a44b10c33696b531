export { createApp, type SaynaSip, type AppParts } from "./app";
export { ConfigError, loadConfig, type Config, type SipConfig } from "../plugins/config-loader";
export type { Clock } from "./contracts/clock";
export type { Logger } from "./contracts/logger";
export type { MatchAnswer, Matcher, MatchView } from "./contracts/matcher";
export type { Storage } from "./contracts/storage";

export { createApp, type SaynaSip, type AppParts } from "./app";
export { ConfigError, loadConfig, Option, type Config, type SipConfig } from "../plugins/config-loader";
export { Type } from "@sinclair/typebox";

// What a plugin is made of.
export type { Clock } from "./contracts/clock";
export { CONTRACT_VERSIONS, type ContractChange, type PluginKind } from "./contracts/contract-version";
export { defineMatcher, defineStorage } from "./contracts/define-plugin";
export type { Logger } from "./contracts/logger";
export type {
  MatcherDefinition,
  MatcherParts,
  MatcherPlugin,
  Plugin,
  PluginContext,
  SimpleMatcherDefinition,
  StorageContext,
  StorageDefinition,
  StorageParts,
  StoragePlugin,
} from "./contracts/plugin";
export type {
  Counter,
  Gauge,
  Histogram,
  LabelValues,
  MetricLabels,
  MetricOptions,
  PluginMetrics,
} from "./contracts/plugin-metrics";
export {
  defineRoute,
  type PluginRoute,
  type RouteAccess,
  type RouteDefinition,
  type RouteRequest,
} from "./contracts/plugin-route";
export type { Principal } from "./domain/principal";
export { Secret } from "./domain/secret";

// The matcher's contract.
export type {
  CalledAddress,
  CandidateHook,
  CandidateHooks,
  MatchAnswer,
  Matcher,
  MatchView,
  RememberedCall,
} from "./contracts/matcher";
export type { ParticipantRoute } from "./domain/call";
export { normalizeHost, type Host } from "./domain/host";
export { parseHostPattern, type HostPattern } from "./domain/host-pattern";
export type { EventId, HookId, ParticipantSid, RoomSid } from "./domain/ids";
export type { Attributes, LiveKitEvent, Subject } from "./domain/livekit-event";
export { normalizeNumber } from "./domain/phone-number";

// The storage's contract, and the rules that every storage applies in its transaction.
export type * from "./contracts/history";
export { DELIVERY_STATE_NAMES, UNSUCCESSFUL } from "./contracts/history";
export type * from "./contracts/storage";
export { HOSTS_OF_VERSION } from "./contracts/storage";
export type * from "./contracts/upkeep";
export { CALL_MEMORY_MS, FINISHED_CALL_MS, newCall, type CallMemory } from "./domain/call";
export { AppError } from "./domain/errors";
export { hookId, type StoredHook } from "./domain/hook";
export { eventId, hookIdFrom, participantSid, roomSid } from "./domain/ids";
export { readLiveKitEvent } from "./domain/livekit-event";
export { describeParticipant, type Decider, type ParticipantDetails } from "./domain/participant-details";
export { routeAgain, type EventToRoute } from "./domain/route-again";
export { routeEvent, type EarlierEvent, type Match, type Routing } from "./domain/routing";

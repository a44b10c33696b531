/** All that a container is told for its first start; the address is this machine's own, the port any that is free. */
export const CONTAINER_ENVIRONMENT = {
  HOST: "127.0.0.1",
  PORT: "0",
  AUTH_API_SECRET: "a-secret",
  LIVEKIT_API_KEY: "APIexample",
  LIVEKIT_API_SECRET: "another-secret",
  SIP_ROOM_PREFIX: "sip-",
  SIP_PROVISION: "false",
} as const;

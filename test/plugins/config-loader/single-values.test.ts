import { describe, expect, test } from "bun:test";
import { credentials, delivery, hooks, messagesOf, SIP } from "./load-text";

describe("what a single value must be", () => {
  test.each<[string, string, string]>([
    ["number for a string", "data_dir: 5", "data_dir must be a string, not a number"],
    [
      "number for the prefix",
      "sip: {room_prefix: 123, provision: false}",
      "sip.room_prefix must be a string, not a number",
    ],
    [
      "bool for the prefix",
      "sip: {room_prefix: true, provision: false}",
      "sip.room_prefix must be a string, not true or false",
    ],
    [
      "number for a secret",
      "livekit: {api_key: k, api_secret: 123}",
      "livekit.api_secret must be a string, not a number",
    ],
    [
      "string for a number",
      'server: {port: "3001"}',
      "server.port must be a whole number from 0 to 65535, not a string",
    ],
    ["fraction", "server: {port: 1.5}", "server.port must be a whole number from 0 to 65535, not 1.5"],
    ["port too high", "server: {port: 65536}", "server.port must be a whole number from 0 to 65535, not 65536"],
    ["port too low", "server: {port: -1}", "server.port must be a whole number from 0 to 65535, not -1"],
    ["string for a bool", "auth: {required: yes}", "auth.required must be true or false, not a string"],
    ["number for a bool", "auth: {required: 1}", "auth.required must be true or false, not a number"],
    ["no value", "data_dir:", "data_dir must be a string, not nothing"],
    ["string for a list", "plugins: ./a.ts", "plugins must be a list, not a string"],
    ["mapping for a list", "plugins: {a: b}", "plugins must be a list, not a mapping"],
    ["list for a mapping", "server: [a]", "server must be a mapping, not a list"],
    ["string for a mapping", "livekit: api_secret:abc", "livekit must be a mapping, not a string"],
    ["no entry", "plugins: [a, ]\nauth: {api_secrets: [~]}", "auth.api_secrets[0] must be a mapping, not nothing"],
    ["empty data_dir", "data_dir: ''", "data_dir cannot be empty"],
    [
      "data_dir with a line break",
      'data_dir: "a\\nb"',
      "data_dir has white space at an end, or a line break or control character in it",
    ],
    ["empty plugin", "plugins: ['']", "plugins[0].module cannot be empty"],
    [
      "listen host with a port",
      "server: {host: '0.0.0.0:3001'}",
      "server.host is not an address to listen on: '0.0.0.0:3001'",
    ],
    [
      "listen host in brackets with a port",
      "server: {host: '[::1]:3001'}",
      "server.host is not an address to listen on: '[::1]:3001'",
    ],
    [
      "listen host that is a URL",
      "server: {host: 'http://a'}",
      "server.host is not an address to listen on: 'http://a'",
    ],
    ["LiveKit url without scheme", "livekit: {url: 'localhost:7880'}", "livekit.url is not a URL of LiveKit"],
    ["LiveKit url of another scheme", "livekit: {url: 'ftp://l'}", "livekit.url is not a URL of LiveKit"],
    ["LiveKit url with a password", "livekit: {url: 'wss://a:b@l'}", "livekit.url is not a URL of LiveKit"],
    [
      "a storage that is a URL",
      "storage: mysql://u:p@h/d",
      "storage is neither sqlite, nor a URL of Postgres, nor the name of a plugin's storage",
    ],
    [
      "another storage",
      "storage: mine",
      "storage is not sqlite, and there are no plugins that could bring another one",
    ],
    [
      "max_participants 0",
      `${SIP}  max_participants: 0`,
      "sip.max_participants must be a whole number from 1 to 4294967295, not 0",
    ],
    ["no header", `${SIP}  host_headers: []`, "sip.host_headers must be a list with at least one entry"],
    [
      "a header that is none",
      `${SIP}  host_headers: ["X To"]`,
      "sip.host_headers[0] is not the name of a SIP header: 'X To'",
    ],
    [
      "a header with its colon",
      `${SIP}  host_headers: ["To:"]`,
      "sip.host_headers[0] is not the name of a SIP header: 'To:'",
    ],
    ["no matcher", `${SIP}  matchers: []`, "sip.matchers must be a list with at least one entry"],
    ["an empty matcher", `${SIP}  matchers: ['']`, "sip.matchers[0] is not the name of a matcher"],
    [
      "a range that is none",
      `${SIP}  allowed_hook_ranges: [10.0.0.0/33]`,
      "sip.allowed_hook_ranges[0] is not an address or CIDR block: '10.0.0.0/33'",
    ],
    [
      "a reference to nothing",
      `${SIP}  allowed_secret_refs: ["env:"]`,
      "sip.allowed_secret_refs[0] is a reference that names nothing",
    ],
    [
      "a hook host that is none",
      hooks("{host: 'a b', url: https://a.example}"),
      "SIP hook host is not a host: 'a b' (sip.hooks[0].host)",
    ],
    [
      "a wildcard of one label",
      hooks("{host: '*.example', url: https://a.example}"),
      "SIP hook host is not a host: '*.example' (sip.hooks[0].host)",
    ],
    [
      "a hook URL with a password",
      hooks("{host: a, url: 'https://u:p@a.example'}"),
      "SIP hook URL is not valid (sip.hooks[0].url)",
    ],
    [
      "a hook URL with a fragment",
      hooks("{host: a, url: 'https://a.example/#x'}"),
      "SIP hook URL is not valid (sip.hooks[0].url)",
    ],
    ["a hook URL without host", hooks("{host: a, url: 'https://'}"), "SIP hook URL is not valid (sip.hooks[0].url)"],
    [
      "a hook URL with a space",
      hooks("{host: a, url: 'https://a.example/ x'}"),
      "SIP hook URL is not valid (sip.hooks[0].url)",
    ],
    [
      "a hook URL with a backslash",
      hooks("{host: a, url: 'https://a.example\\b'}"),
      "SIP hook URL is not valid (sip.hooks[0].url)",
    ],
    [
      "a hook URL too long",
      hooks(`{host: a, url: 'https://a.example/${"x".repeat(2048)}'}`),
      "sip.hooks[0].url must be an https:// URL of at most 2048 characters",
    ],
    ["a hook without url", hooks("{host: a.example}"), "sip.hooks[0].url is missing"],
    [
      "an empty auth_id",
      hooks("{host: a, url: https://a.example, auth_id: ''}"),
      "sip.hooks[0].auth_id does not look valid",
    ],
    [
      "a tenant host that is none",
      credentials("{id: t, secret: s, role: tenant, hosts: ['a b']}"),
      "auth.api_secrets[0].hosts[0] is not a host: 'a b'",
    ],
    [
      "an unknown role",
      credentials("{id: t, secret: s, role: admin}"),
      "auth.api_secrets[0].role must be operator or tenant",
    ],
    ["a credential without id", credentials("{secret: s}"), "auth.api_secrets[0].id is missing"],
    ["a credential without secret", credentials("{id: t}"), "auth.api_secrets[0].secret is missing"],
    ["an empty credential", credentials("{id: t, secret: ''}"), "auth.api_secrets[0].secret cannot be empty"],
    [
      "a webhook key without secret",
      "livekit: {webhook_keys: [{api_key: k}]}",
      "livekit.webhook_keys[0].api_secret is missing",
    ],
    ["an empty LiveKit secret", "livekit: {api_key: k, api_secret: ''}", "livekit.api_secret cannot be empty"],
    ["a duration without unit", delivery("deadline: '10'"), "sip.delivery.deadline is not a duration: '10'"],
    [
      "a duration as a number",
      delivery("deadline: 10"),
      "sip.delivery.deadline must be a duration such as 10s, not a number",
    ],
    ["a duration of nothing", delivery("schedule: [0s]"), "sip.delivery.schedule[0] is not a duration: '0s'"],
    ["no wait", delivery("schedule: []"), "sip.delivery.schedule must be a list of 1 to 50 entries"],
    [
      "no concurrency",
      delivery("concurrency: 0"),
      "sip.delivery.concurrency must be a whole number from 1 to 200, not 0",
    ],
    [
      "too much concurrency",
      delivery("concurrency: 201"),
      "sip.delivery.concurrency must be a whole number from 1 to 200, not 201",
    ],
    ["no rate", delivery("rate: 0"), "sip.delivery.rate must be a whole number from 1 to 10000, not 0"],
    ["another order", delivery("order: room"), "sip.delivery.order must be call or none"],
    ["no events", delivery("events: []"), "sip.delivery.events must be a list of 1 to 50 entries"],
    [
      "events that no name fits",
      delivery("events: [room_*, participant joined]"),
      "sip.delivery.events[1] is not the name of an event, nor a pattern: 'participant joined'",
    ],
    ["an expiry without time", delivery("expiry: [{events: track_*}]"), "sip.delivery.expiry[0].after is missing"],
    [
      "an unknown key of a hook's own policy",
      hooks("{host: a.b, url: https://a.b, delivery: {retries: 3}}"),
      "Unknown key 'retries' in sip.hooks[0].delivery",
    ],
  ])("%s", (_, yaml, message) => {
    expect(messagesOf(yaml)).toEqual([message]);
  });
});

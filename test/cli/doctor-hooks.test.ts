import { describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startTlsReceiver } from "../support/tls-receiver";
import { doctorWorld } from "./doctor-world";

const world = doctorWorld();
const { doctor, expectFound, writeConfiguration } = world;

describe("of hooks it finds exactly what is wrong", () => {
  test("an answer that is no success", async () => {
    world.receiver.respondWith(() => ({ status: 401 }));
    const findings = await expectFound(["problem hook_refuses"]);
    const hook = findings.find(({ area }) => area === "hooks");
    expect(hook?.what).toBe(
      `The hook of tenant-a.example.com (${new URL(world.receiver.url()).origin}) answers 401 to a signed test.`,
    );
  });

  test("a connection that is closed", async () => {
    world.receiver.respondWith(() => "close");
    await expectFound(["problem hook_fails"]);
  });

  test("a certificate that has ended, and since when; from here as from the service", async () => {
    const day = 86_400_000;
    const certificate = await world.ca.issue(["localhost"], {
      notBefore: new Date(Date.now() - 9 * day),
      notAfter: new Date(Date.now() - 2 * day),
    });
    const expired = await startTlsReceiver({ ca: world.ca, certificate });
    try {
      const hooks = [{ host: "tenant-a.example.com", url: expired.url("/a") }];
      const config = await writeConfiguration({ hooks });
      const here = ["--config", config, "--url", "http://127.0.0.1:1"];
      const findings = await expectFound(["problem service_not_running", "problem hook_tls"], here);
      expect(findings.find(({ code }) => code === "hook_tls")?.what).toMatch(
        /CERT_HAS_EXPIRED.* \(its certificate ended on /,
      );
    } finally {
      await expired.stop();
    }
  });

  test("a host that has no address, and deliveries that nothing signs", async () => {
    const hooks = [
      { host: "a.example.com", url: "https://nobody.invalid/" },
      { host: "b.example.com", url: world.receiver.url("/b") },
    ];
    const config = await writeConfiguration({ hooks, hook_secret: undefined });
    const here = ["--config", config, "--url", "http://127.0.0.1:1"];
    await expectFound(["problem service_not_running", "problem hook_dns", "warning hook_unsigned"], here);
  });

  test("one that is paused", async () => {
    const pause = (what: string) =>
      fetch(`${world.server.url}/sip/hooks/${what}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ hosts: ["tenant-a.example.com"] }),
      });
    expect((await pause("pause")).status).toBe(200);
    try {
      await expectFound(["problem hook_paused"]);
    } finally {
      await pause("resume");
    }
  });

  test("nobody at its address", async () => {
    await world.receiver.stop();
    try {
      await expectFound(["problem hook_unreachable"]);
    } finally {
      await world.receiver.start();
    }
  });
});

describe("of the service and its storage it finds exactly what is wrong", () => {
  test("a service that does not run: hooks are tested from here", async () => {
    const findings = await expectFound(["problem service_not_running"], ["--url", "http://127.0.0.1:1"]);
    expect(findings.find(({ area }) => area === "service")?.what).toBe(
      `Nothing answers as sayna-sip at http://127.0.0.1:1. The data directory is in use by process ${world.server.pid}, which may be it.`,
    );
  });

  test("another data directory than the service's", async () => {
    await expectFound(["warning service_elsewhere"], [], { DATA_DIR: join(world.directory.path, "other") });
  });

  test("a data directory that cannot be used", async () => {
    const { found } = await doctor([], { DATA_DIR: "/dev/null/data" });
    expect(found).toEqual(["problem storage_unusable", "warning service_elsewhere"]);
  });

  test("SIP that is off", async () => {
    const config = join(world.directory.path, "off.yaml");
    await writeFile(config, "{}");
    await expectFound(["problem sip_off"], ["--config", config]);
  });
});

describe("a call that is asked about", () => {
  test("whose host has no hook", async () => {
    const findings = await expectFound(["problem host_without_hook"], ["tenant-b.example.com"]);
    expect(findings.at(-1)?.what).toBe(
      "No hook matches calls to tenant-b.example.com. There is one of tenant-a.example.com.",
    );
  });

  test("whose header has no host that can be told for sure", async () => {
    await expectFound(["problem host_unreadable"], ["<tel:+15550001>"]);
  });

  test("whose hook is well, and that never came", async () => {
    await expectFound(["warning host_no_calls"], ["--host", "tenant-a.example.com"]);
  });

  test("without a running service it is matched from here", async () => {
    const { found, findings } = await doctor(["TENANT-A.example.com:5060", "--url", "http://127.0.0.1:1"]);
    expect(found).toEqual(["problem service_not_running"]);
    expect(findings.at(-1)?.what).toBe("Calls to tenant-a.example.com belong to the hook of tenant-a.example.com.");
  });
});

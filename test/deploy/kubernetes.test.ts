import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { loadConfig } from "../../plugins/config-loader";
import packageJson from "../../package.json" with { type: "json" };
import type { Deployment } from "kubernetes-types/apps/v1";
import type { ConfigMap, Service } from "kubernetes-types/core/v1";
import type { NetworkPolicy } from "kubernetes-types/networking/v1";
import type { PodDisruptionBudget } from "kubernetes-types/policy/v1";
import { ROOT } from "../readme/readme";
import { temporaryDirectory } from "../support/server-process";
import { deployed, SECRET, unknownVariables } from "./deployed";

const TEXT = deployed("kubernetes/sayna-sip.yaml");
const MOUNTED = "/run/secrets/sayna-sip";
/** Where Kubernetes's own types describe each kind. */
const MODULES: Readonly<Record<string, string>> = {
  ConfigMap: "core/v1",
  ServiceAccount: "core/v1",
  Deployment: "apps/v1",
  Service: "core/v1",
  PodDisruptionBudget: "policy/v1",
  NetworkPolicy: "networking/v1",
};

type Resource = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly namespace?: string };
};

const resources = parseAllDocuments(TEXT).map((document) => document.toJS() as Resource);

/** What each kind is made of, as far as it is looked at here. */
type Kinds = {
  readonly ConfigMap: ConfigMap;
  readonly Deployment: Deployment;
  readonly Service: Service;
  readonly PodDisruptionBudget: PodDisruptionBudget;
  readonly NetworkPolicy: NetworkPolicy;
};

/** The one resource of a kind; that it is what the kind describes is the first test. */
function only<Kind extends keyof Kinds>(kind: Kind): Kinds[Kind] {
  const [found, ...others] = resources.filter((resource) => resource.kind === kind);
  if (found === undefined || others.length > 0) throw new Error(`there is not just one ${kind}`);
  return found as Kinds[Kind];
}

const deployment = only("Deployment");
const pod = deployment.spec?.template.spec;
const container = pod?.containers[0];
const labels = deployment.spec?.template.metadata?.labels;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  directory = await temporaryDirectory();
});

afterAll(() => directory.remove());

/** What the type checker says of these resources, held against Kubernetes's types: a misspelt field is one too many. */
async function check(all: readonly Resource[]): Promise<string> {
  const place = join(directory.path, crypto.randomUUID());
  await mkdir(place);
  await symlink(join(ROOT, "node_modules"), join(place, "node_modules"));
  const lines = all.map((resource, i) => {
    const type = `import("kubernetes-types/${MODULES[resource.kind] ?? "unknown"}").${resource.kind}`;
    return `export const resource${i}: ${type} = ${JSON.stringify(resource)};\n`;
  });
  await writeFile(join(place, "resources.ts"), lines.join(""));
  const options = { strict: true, noEmit: true, module: "preserve", moduleResolution: "bundler", types: [] };
  await writeFile(join(place, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files: ["resources.ts"] }));
  const tsc = Bun.spawn([process.execPath, join(ROOT, "node_modules/.bin/tsc"), "--pretty", "false"], {
    cwd: place,
    stdout: "pipe",
  });
  const output = await new Response(tsc.stdout).text();
  return (await tsc.exited) === 0 ? "" : output;
}

describe("the Kubernetes manifest", () => {
  test("has the fields that Kubernetes 1.30 describes, and no other, in one namespace", async () => {
    expect(resources.map(({ kind }) => kind).toSorted()).toEqual(Object.keys(MODULES).toSorted());
    expect(resources.filter(({ metadata }) => metadata.namespace !== "sayna-sip")).toEqual([]);
    expect(await check(resources)).toBe("");
  }, 240_000);

  test("would be refused with a misspelt field, or one of another type", async () => {
    const misspelt = TEXT.replace("failureThreshold: 60", "failureTreshold: 60").replace(
      "replicas: 2",
      "replicas: two",
    );
    const said = await check(parseAllDocuments(misspelt).map((document) => document.toJS() as Resource));
    expect(said).toContain("failureTreshold");
    expect(said).toContain("Type 'string' is not assignable to type 'number'");
  }, 240_000);

  test("runs at least two, of this version, and never fewer than before while it is upgraded or a node is emptied", () => {
    expect(deployment.spec?.replicas).toBeGreaterThanOrEqual(2);
    expect(deployment.spec?.strategy?.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 });
    expect(container?.image).toEndWith(`/sayna-sip:${packageJson.version}`);
    expect(only("PodDisruptionBudget").spec?.minAvailable).toBe(1);
  });

  test("selects its own pods everywhere", () => {
    const selectors = [
      deployment.spec?.selector.matchLabels,
      only("Service").spec?.selector,
      only("PodDisruptionBudget").spec?.selector?.matchLabels,
      only("NetworkPolicy").spec?.podSelector?.matchLabels,
      pod?.topologySpreadConstraints?.[0]?.labelSelector?.matchLabels,
    ];
    expect(selectors).toEqual(selectors.map(() => labels));
    expect(labels).toEqual({ "app.kubernetes.io/name": "sayna-sip" });
  });

  test("names one port everywhere: the image's", () => {
    const [port] = container?.ports ?? [];
    const [ofService] = only("Service").spec?.ports ?? [];
    expect([port?.name, port?.containerPort]).toEqual(["http", 3001]);
    expect([ofService?.targetPort, ofService?.port]).toEqual(["http", 3001]);
    expect(only("NetworkPolicy").spec?.ingress?.[0]?.ports).toEqual([{ port: "http", protocol: "TCP" }]);
    const probes = [container?.startupProbe, container?.livenessProbe, container?.readinessProbe];
    expect(probes.map((probe) => probe?.httpGet)).toEqual([
      { path: "/health/live", port: "http" },
      { path: "/health/live", port: "http" },
      { path: "/health/ready", port: "http" },
    ]);
  });

  test("is the image's user, without rights, and writes nowhere but to its volume", () => {
    expect(pod?.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 10_001,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(container?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    expect(pod?.automountServiceAccountToken).toBe(false);
    const writable = container?.volumeMounts?.filter(({ readOnly }) => readOnly !== true);
    expect(writable).toEqual([{ name: "data", mountPath: "/data" }]);
    expect(pod?.volumes?.find(({ name }) => name === "secrets")?.secret?.defaultMode).toBe(0o440);
  });

  test("leaves time to stop: the pause, and 8 s", () => {
    const pause = container?.lifecycle?.preStop?.sleep?.seconds ?? 0;
    expect(pause).toBeGreaterThan(0);
    expect(pod?.terminationGracePeriodSeconds).toBeGreaterThan(pause + 8);
  });

  test("never lets a hook lead to the cloud's metadata service", () => {
    const blocks = only("NetworkPolicy").spec?.egress?.flatMap(({ to = [] }) =>
      to.flatMap(({ ipBlock }) => ipBlock ?? []),
    );
    expect(blocks?.map(({ cidr }) => cidr)).toEqual(["0.0.0.0/0", "::/0"]);
    expect(blocks?.[0]?.except).toEqual(["169.254.0.0/16"]);
  });

  test("gives sayna-sip a configuration that it takes, whose secrets are keys of the Secret that its first lines make", async () => {
    const env = (container?.env ?? []).map(({ name }) => name);
    expect(unknownVariables(env)).toEqual([]);
    const made = [...TEXT.matchAll(/--from-literal=([\w-]+)=/g)].map(([, key = ""]) => key);
    const items = pod?.volumes?.find(({ name }) => name === "secrets")?.secret?.items ?? [];
    const used = [
      ...items.map(({ key }) => key),
      ...(container?.env ?? []).flatMap(({ valueFrom }) => valueFrom?.secretKeyRef?.key ?? []),
    ];
    expect(used.toSorted()).toEqual(made.toSorted());

    const text = only("ConfigMap").data?.["sayna-sip.yaml"] ?? "";
    expect(parse(text)).toBeObject();
    const referred = [...text.matchAll(/file:(\S+)\/([\w-]+)/g)];
    expect(referred.map(([, path]) => path)).toEqual(referred.map(() => MOUNTED));
    expect(referred.map(([, , name]) => name)).toEqual(items.map(({ path }) => path));
    for (const { path } of items) await writeFile(join(directory.path, path), SECRET);
    const file = join(directory.path, "sayna-sip.yaml");
    await writeFile(file, text.replaceAll(MOUNTED, directory.path));
    const url = "postgres://sayna:PASSWORD@db.example.com:5432/sayna?sslmode=require";
    const read = loadConfig({ file, env: { STORAGE_URL: url, AUTH_REQUIRED: "true", HOST: "0.0.0.0" } });
    expect(read.livekit.api_secret?.reveal()).toBe(SECRET);
    expect(read).toMatchObject({
      sip: { hook_secret: { kind: "file", path: join(directory.path, "hook-secret") } },
    });
  });
});

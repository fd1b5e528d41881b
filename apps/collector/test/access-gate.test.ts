import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { AccessDesk } from "../src/access/access-desk.ts";
import { AccessGate, type Permission } from "../src/access/access-gate.ts";
import { agentAccess } from "../src/access/agent-access.ts";
import { enrol } from "../src/access/enrolment.ts";
import { keyFilePath } from "../src/access/key-file.ts";
import { Keyring } from "../src/access/keyring.ts";
import { openAccess } from "../src/access/open-access.ts";

let dataDir = "";
let nowMs = 1_000_000;
const clock = (): number => nowMs;

beforeEach(async () => {
  nowMs = 1_000_000;
  dataDir = await mkdtemp(join(tmpdir(), "sluice-access-"));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

async function open(files: ReadonlyMap<"ingest" | "query", string> = new Map()) {
  const gate = new AccessGate(await Keyring.load(dataDir, clock), files, clock);
  const ended: string[] = [];
  gate.watch(({ reason }) => void ended.push(reason));
  const desk = new AccessDesk({
    gate,
    dataDir,
    connectionsOf: () => 0,
    askToRotate: () => undefined,
    knownAgents: () => [{ agentId: "aaaaaaaa-1", host: "old-1" }],
  });
  return { gate, desk, ended };
}

function allowed(gate: AccessGate, token: string): Permission[] {
  const all: Permission[] = ["ingest", "query", "maintain", "admin"];
  return all.filter((permission) => gate.verify(permission, `Bearer ${token}`).ok);
}

/** Enrols an agent whose key is `secret`. */
async function enrolAgent(gate: AccessGate, agentId: string, host: string, secret: string) {
  const wish = { uses: 1, hosts: "*", labels: {}, ttlMs: 1_000 };
  const { enrolment } = await gate.keyring.mintEnrolment(wish);
  const { createHash } = await import("node:crypto");
  const keyHash = createHash("sha256").update(secret).digest("hex");
  await gate.keyring.change((content, at) =>
    enrol(content, enrolment, { agentId, host, keyHash }, { isLive: false, nowMs: at }),
  );
}

describe("what a token allows", () => {
  test.each([
    ["ingest", ["ingest"]],
    ["query", ["query"]],
    ["admin", ["query", "maintain", "admin"]],
  ] as const)("scope %s", async (scope, permissions) => {
    const { gate, desk } = await open();
    const { token } = await desk.mintToken({ name: "t", scope });
    expect(allowed(gate, token)).toEqual(permissions);
  });

  test("a file of an older collector allows what it did", async () => {
    const { gate } = await open(new Map([["ingest", "i"] as const, ["query", "q"] as const]));
    expect(allowed(gate, "i")).toEqual(["ingest"]);
    expect(allowed(gate, "q")).toEqual(["query", "maintain"]);
  });

  test("an enrolment token and an unknown one allow nothing", async () => {
    const { gate } = await open();
    const wish = { uses: 1, hosts: "*", labels: {}, ttlMs: 1_000 };
    const { secret } = await gate.keyring.mintEnrolment(wish);
    expect([...allowed(gate, secret), ...allowed(gate, "x"), ...allowed(gate, "")]).toEqual([]);
  });

  test("until it expires, is revoked, or its successor has overlapped it", async () => {
    const { gate, desk, ended } = await open();
    const short = await desk.mintToken({ name: "s", scope: "query", ttlMs: 100 });
    const old = await desk.mintToken({ name: "r", scope: "query" });
    const fresh = await desk.rotateToken(old.id, 50);
    expect(allowed(gate, old.token)).toEqual(["query"]);
    nowMs += 50;
    expect(allowed(gate, old.token)).toEqual([]);
    nowMs += 50;
    expect(gate.verify("query", `Bearer ${short.token}`)).toMatchObject({
      denial: { message: "this token has expired" },
    });
    await desk.revokeToken(fresh.id);
    expect(gate.verify("query", `Bearer ${fresh.token}`)).toMatchObject({
      denial: { message: "this token was revoked" },
    });
    expect(ended).toEqual(["the token was revoked"]);
  });
});

describe("on the disk", () => {
  test("there are hashes alone, for the owner alone, and a restart knows them", async () => {
    const { desk } = await open();
    const { token } = await desk.mintToken({ name: "t", scope: "admin" });
    const text = await readFile(keyFilePath(dataDir), "utf8");
    expect(text).not.toContain(token);
    expect((await stat(keyFilePath(dataDir))).mode & 0o777).toBe(0o600);
    expect(allowed((await open()).gate, token)).toContain("admin");
  });

  test("a damaged file lets nobody in, and says so", async () => {
    await writeFile(keyFilePath(dataDir), '{"version":1');
    await expect(open()).rejects.toThrow("is damaged");
  });

  test("token files are written where nothing else lets anybody in", async () => {
    const { gate } = await openAccess(dataDir);
    expect(gate.files.map(({ id }) => id)).toEqual(["ingest.token", "query.token"]);
    const other = await mkdtemp(join(tmpdir(), "sluice-access-"));
    const keyring = await Keyring.load(other, clock);
    await keyring.mintToken({ name: "admin", scope: "admin", ttlMs: undefined });
    expect((await openAccess(other)).gate.files).toEqual([]);
    await rm(other, { recursive: true });
  });

  test("a file's token that is revoked is gone, with its file", async () => {
    const { gate } = await openAccess(dataDir);
    const path = join(dataDir, "tokens/query.token");
    const token = (await readFile(path, "utf8")).trim();
    const { desk } = await open();
    const live = new AccessDesk({
      gate,
      dataDir,
      connectionsOf: () => 0,
      askToRotate: () => undefined,
      knownAgents: () => [],
    });
    await live.revokeToken("query.token");
    expect(allowed(gate, token)).toEqual([]);
    await expect(stat(path)).rejects.toThrow("ENOENT");
    expect(desk.tokens()).toEqual([]);
  });
});

describe("agents", () => {
  const HELLO = { agentId: "bbbbbbbb-1", hostname: "liar", labels: {} };

  async function identify(gate: AccessGate, token: string, agentId = HELLO.agentId) {
    const access = agentAccess(gate, { renamed: () => undefined });
    const verdict = access.verify(`Bearer ${token}`);
    if (!verdict.ok) {
      return verdict.denial.message;
    }
    const hello = { ...HELLO, agentId } as Parameters<typeof access.identify>[1];
    const found = await access.identify(verdict.grant, hello);
    return found.ok ? found.identity.host : found.reason;
  }

  test("an id with a key is nobody else's, and its host is as it was enrolled or renamed", async () => {
    const { gate, desk, ended } = await open(new Map([["ingest", "shared"] as const]));
    await enrolAgent(gate, "bbbbbbbb-1", "web-1", "key-1");
    await enrolAgent(gate, "cccccccc-1", "web-2", "key-2");
    expect(await identify(gate, "key-1")).toBe("web-1");
    expect(await identify(gate, "key-2")).toContain("another agent's");
    expect(await identify(gate, "shared")).toContain("has a key of its own");
    expect(await identify(gate, "shared", "dddddddd-1")).toBe("liar");
    await desk.renameAgent("web-1", "www");
    expect(await identify(gate, "key-1")).toBe("www");
    expect(ended).toEqual(["this agent was renamed"]);
  });

  test("that were revoked stay out until they are forgotten", async () => {
    const { gate, desk } = await open();
    await enrolAgent(gate, "bbbbbbbb-1", "web-1", "key-1");
    await desk.revokeAgent("bbbbbbbb");
    expect(await identify(gate, "key-1")).toBe("the key of this agent was revoked");
    await desk.forgetAgent("web-1");
    expect(await identify(gate, "key-1")).toBe("the token is not known here");
    expect(gate.keyring.content.forgotten).toEqual(["bbbbbbbb-1"]);
  });

  test("that share a token are shut out by their id", async () => {
    const { gate, desk } = await open(new Map([["ingest", "shared"] as const]));
    await desk.revokeAgent("old-1");
    expect(await identify(gate, "shared", "aaaaaaaa-1")).toBe("this agent was revoked");
  });

  test.each([
    ["nobody", "no agent is nobody"],
    ["web", "no agent is web"],
    ["twin", "2 agents are twin"],
  ])("%s is not one of them", async (name, message) => {
    const { gate, desk } = await open();
    await enrolAgent(gate, "bbbbbbbb-1", "twin", "key-1");
    await enrolAgent(gate, "cccccccc-1", "twin", "key-2");
    await expect(desk.revokeAgent(name)).rejects.toThrow(message);
  });
});

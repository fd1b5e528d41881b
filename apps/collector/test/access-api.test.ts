import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { accessApi } from "../src/access/access-api.ts";
import { AccessDesk } from "../src/access/access-desk.ts";
import { AccessGate } from "../src/access/access-gate.ts";
import { apiDoor } from "../src/access/api-door.ts";
import { enrollApi } from "../src/access/enroll-api.ts";
import { FailedAttempts } from "../src/access/failed-attempts.ts";
import { Keyring } from "../src/access/keyring.ts";

const KEY_HASH = "a".repeat(64);
const AGENT = "3f0c2b1e-0000-4000-8000-000000000000";

let dataDir = "";
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "sluice-access-"));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

async function stand() {
  let nowMs = 0;
  const keyring = await Keyring.load(dataDir, Date.now);
  const gate = new AccessGate(keyring, new Map(), Date.now);
  const failures = new FailedAttempts(() => nowMs);
  const door = apiDoor(gate, failures);
  const log: string[] = [];
  const failed = (error: unknown): void => {
    throw error;
  };
  const desk = new AccessDesk({
    gate,
    dataDir,
    connectionsOf: () => 0,
    askToRotate: () => undefined,
    knownAgents: () => [],
  });
  const app = accessApi({
    desk,
    door,
    reach: () => ({ url: "https://c", ca: null }),
    products: { dir: "/agents", agentBuilds: () => Promise.resolve(["sluice-agent.cjs"]) },
    events: { changed: (what, fields) => void log.push(JSON.stringify([what, fields])), failed },
  });
  const enroll = enrollApi({
    gate,
    failures,
    isLive: () => false,
    events: {
      enrolled: (agent) => void log.push(JSON.stringify(agent)),
      refused: (_, reason) => void log.push(reason),
      failed,
    },
  });
  const admin = (await desk.mintToken({ name: "a", scope: "admin" })).token;
  const send = async (
    to: "admin" | "agents",
    path: string,
    { token, body, headers = {} }: { token?: string; body?: unknown; headers?: object },
  ) => {
    const authorization = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const init = {
      headers: { ...authorization, ...headers } as Record<string, string>,
      ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
    };
    const bindings = { incoming: { socket: { remoteAddress: "10.0.0.1" } } };
    const response =
      to === "admin"
        ? await app.request(path, init, bindings)
        : await enroll.request(path, init, bindings);
    return { status: response.status, json: (await response.json()) as Record<string, string> };
  };
  return { send, admin, desk, door, log, later: (ms: number) => void (nowMs += ms) };
}

const WISH = { ttlMs: 60_000, uses: 1, hosts: "*", labels: {} };

describe("who may do what", () => {
  test("is for scope admin alone, and not for web pages", async () => {
    const { send, admin, desk } = await stand();
    const { token } = await desk.mintToken({ name: "q", scope: "query" });
    const body = { name: "x", scope: "admin" };
    expect((await send("admin", "/v1/tokens", { body })).status).toBe(401);
    expect((await send("admin", "/v1/tokens", { token, body })).status).toBe(403);
    expect((await send("admin", "/v1/tokens", { token })).status).toBe(403);
    const headers = { Origin: "https://evil.example" };
    expect((await send("admin", "/v1/tokens", { token: admin, body, headers })).status).toBe(403);
    expect((await send("admin", "/v1/tokens", { token: admin, body })).status).toBe(200);
  });

  test("is told to the log, and no secret with it", async () => {
    const { send, admin, log } = await stand();
    const { json } = await send("admin", "/v1/enrolments", { token: admin, body: WISH });
    const made = await send("admin", "/v1/tokens", {
      token: admin,
      body: { name: "n", scope: "query" },
    });
    expect(log).toHaveLength(2);
    expect(log.join()).not.toContain(json["token"]);
    expect(log.join()).not.toContain(made.json["token"]);
    const listed = await send("admin", "/v1/tokens", { token: admin });
    expect(JSON.stringify(listed.json)).not.toContain("slt_");
    expect(JSON.stringify(listed.json)).not.toContain("sle_");
  });

  test.each([
    ["/v1/tokens/revoke", { id: "nobody" }, 409],
    ["/v1/agents/revoke", { id: "nobody" }, 409],
    ["/v1/agents/rename", { id: "x", host: "a\nb" }, 400],
    ["/v1/enrolments", { ...WISH, uses: 0 }, 400],
    ["/v1/enrolments", { ...WISH, labels: { "a b": "c" } }, 400],
    ["/v1/tokens", { name: "x", scope: "root" }, 400],
    ["/v1/tokens", "text", 400],
  ])("%s %j is refused with %s", async (path, body, status) => {
    const { send, admin } = await stand();
    const answer = await send("admin", path, { token: admin, body });
    expect(answer.status).toBe(status);
    expect(answer.json["advice"]).not.toBe("");
  });

  test("what a token has under way ends with it", async () => {
    const { desk, door } = await stand();
    const { id, token } = await desk.mintToken({ name: "q", scope: "query" });
    const ended: string[] = [];
    door.whenEnded(`Bearer ${token}`, () => void ended.push("tail"));
    const stop = door.whenEnded(`Bearer ${token}`, () => void ended.push("stopped"));
    stop();
    await desk.revokeToken(id);
    expect(ended).toEqual(["tail"]);
  });
});

describe("enrolment over HTTP", () => {
  const body = { agentId: AGENT, host: "web-1", keyHash: KEY_HASH };

  test("takes an enrolment token, and nothing else", async () => {
    const { send, admin } = await stand();
    expect((await send("agents", "/enroll", { token: admin, body })).status).toBe(401);
    const { json } = await send("admin", "/v1/enrolments", { token: admin, body: WISH });
    const token = json["token"] as string;
    const bad = { ...body, keyHash: "short" };
    expect((await send("agents", "/enroll", { token, body: bad })).status).toBe(400);
    const large = { ...body, host: "x".repeat(20_000) };
    expect((await send("agents", "/enroll", { token, body: large })).status).toBe(413);
    expect(await send("agents", "/enroll", { token, body })).toMatchObject({
      status: 200,
      json: { agentId: AGENT, host: "web-1" },
    });
    expect((await send("agents", "/enroll", { token: "x" })).status).toBe(401);
  });

  test("tells the reason ten times a minute to an address, and lets a good token pass all the same", async () => {
    const { send, admin, later } = await stand();
    const statuses = [];
    for (let i = 0; i < 12; i++) {
      statuses.push((await send("agents", "/enroll", { token: "bad", body })).status);
    }
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429, 429]);
    // The API counts with it.
    expect((await send("admin", "/v1/tokens", { token: "bad" })).status).toBe(429);
    const { json } = await send("admin", "/v1/enrolments", { token: admin, body: WISH });
    expect((await send("agents", "/enroll", { token: json["token"] as string, body })).status).toBe(
      200,
    );
    later(60_001);
    expect((await send("agents", "/enroll", { token: "bad", body })).status).toBe(401);
  });
});

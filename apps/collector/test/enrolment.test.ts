import { describe, expect, test } from "vitest";

import { addKey, enrol, settleKey } from "../src/access/enrolment.ts";
import {
  type AgentRecord,
  EMPTY_KEY_FILE,
  type EnrolmentRecord,
  type KeyFile,
} from "../src/access/key-file.ts";

const HOUR_MS = 3_600_000;
const NOW_MS = 10 * HOUR_MS;
const KEY = "a".repeat(64);
const OTHER_KEY = "b".repeat(64);
const REQUEST = { agentId: "id-1", host: "web-1", keyHash: KEY };

function enrolment(change: Partial<EnrolmentRecord> = {}): EnrolmentRecord {
  return {
    id: "e1",
    hash: "c".repeat(64),
    createdMs: NOW_MS - 1,
    expiresMs: NOW_MS + HOUR_MS,
    revokedMs: null,
    uses: 1,
    hosts: "*",
    labels: { env: "prod" },
    usedBy: [],
    ...change,
  };
}

function agent(change: Partial<AgentRecord> = {}): AgentRecord {
  return {
    agentId: "id-1",
    host: "web-1",
    labels: {},
    enrolledMs: NOW_MS,
    keys: [{ hash: KEY, createdMs: NOW_MS }],
    revokedMs: null,
    cloneSeenMs: null,
    rotate: false,
    ...change,
  };
}

function ask(
  { token = enrolment(), agents = [] }: { token?: EnrolmentRecord; agents?: AgentRecord[] } = {},
  request = REQUEST,
  isLive = false,
) {
  const content: KeyFile = { ...EMPTY_KEY_FILE, enrolments: [token], agents, forgotten: ["id-1"] };
  return enrol(content, token, request, { isLive, nowMs: NOW_MS });
}

describe("an enrolment", () => {
  test("gives an agent the labels of its token, and uses it up", () => {
    const { content, result } = ask();
    expect(result).toMatchObject({ kind: "enrolled", isNew: true });
    expect(content.agents).toEqual([agent({ labels: { env: "prod" } })]);
    expect(content.enrolments[0]?.usedBy).toEqual([
      { agentId: "id-1", keyHash: KEY, atMs: NOW_MS },
    ]);
    expect(content.forgotten).toEqual([]);
  });

  test("whose answer was lost is answered again, also when the token is used up and expired", () => {
    const { content } = ask();
    const [token] = content.enrolments;
    const late = { isLive: true, nowMs: NOW_MS + 2 * HOUR_MS };
    const again = enrol(content, token as EnrolmentRecord, REQUEST, late);
    expect(again.result).toMatchObject({ kind: "enrolled", isNew: false });
    expect(again.content).toBe(content);
  });

  test("of an agent that lost its key replaces the old one", () => {
    const { content } = ask({ agents: [agent({ keys: [{ hash: OTHER_KEY, createdMs: 1 }] })] });
    expect(content.agents.map(({ keys }) => keys)).toEqual([[{ hash: KEY, createdMs: NOW_MS }]]);
  });

  const used = [{ agentId: "x", keyHash: OTHER_KEY, atMs: 1 }];
  test.each([
    ["an expired token", { token: enrolment({ expiresMs: NOW_MS }) }, "enrolment-expired"],
    ["a revoked token", { token: enrolment({ revokedMs: 1 }) }, "enrolment-revoked"],
    ["a used token", { token: enrolment({ usedBy: used }) }, "enrolment-used"],
    ["another host", { token: enrolment({ hosts: "db-*" }) }, "host-refused"],
    ["a revoked agent", { agents: [agent({ revokedMs: 1, keys: [] })] }, "agent-revoked"],
    ["another agent's key", { agents: [agent({ agentId: "id-2" })] }, "key-known"],
  ])("is refused to %s, and changes nothing", (_, state, code) => {
    const { content, result } = ask(state);
    expect(result).toMatchObject({ kind: "refused", refusal: { code } });
    expect(content.agents).toEqual("agents" in state ? state.agents : []);
  });

  test("is refused while an agent of the id is connected: it is a copy", () => {
    expect(ask({}, REQUEST, true).result).toMatchObject({ refusal: { code: "agent-cloned" } });
  });
});

describe("a key that follows another", () => {
  test("stands beside it until it is used, and ends it then", () => {
    const both = addKey(agent({ rotate: true }), KEY, OTHER_KEY, NOW_MS + 1);
    expect(both.keys.map(({ hash }) => hash)).toEqual([KEY, OTHER_KEY]);
    expect(settleKey(both, KEY)).toBe(both);
    const settled = settleKey(both, OTHER_KEY);
    expect(settled).toMatchObject({ keys: [{ hash: OTHER_KEY }], rotate: false });
    expect(settleKey(settled, OTHER_KEY)).toBe(settled);
  });

  test("takes the place of one that never was used", () => {
    const both = addKey(agent(), KEY, OTHER_KEY, 1);
    expect(addKey(both, KEY, "d".repeat(64), 2).keys.map(({ hash }) => hash)).toEqual([
      KEY,
      "d".repeat(64),
    ]);
  });
});

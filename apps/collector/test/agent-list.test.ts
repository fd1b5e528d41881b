import { expect, test } from "vitest";

import type { Presence } from "../src/ingest/agent-directory.ts";
import { AGENT_LIST, listAgents } from "../src/api/agent-list.ts";
import { formatAgents } from "../src/commands/agents.ts";
import { agent, DAY_US, FakeStore, NOW_US, stream } from "./fake-store.ts";

const MINUTE_US = 60_000_000;

function presence(
  backlogs: Readonly<Record<number, { behindBytes: number; oldestUnackedMs: number }>>,
): Presence {
  return {
    connectedAgents: new Set([1]),
    backlogs: new Map(
      Object.entries(backlogs).map(([id, backlog]) => [Number(id), { stream: 0, ...backlog }]),
    ),
    clones: new Set(),
  };
}

test("an agent is listed with its streams and what it last said of their backlogs", () => {
  using store = new FakeStore();
  store.knownStreams = [
    stream({ streamId: 5, generation: 2, filteredRecords: 3, filteredBytes: 90, gaps: 1 }),
  ];
  const list = listAgents(store.reader, presence({ 5: { behindBytes: 77, oldestUnackedMs: 12 } }));
  expect(list).toEqual([
    {
      host: "web-1",
      agentId: "a1",
      connected: true,
      key: null,
      clone: false,
      streams: [
        {
          source: "/var/log/syslog",
          generation: 2,
          records: 10,
          bytes: 1000,
          filteredRecords: 3,
          filteredBytes: 90,
          lastTime: "2026-11-24T08:00:00.000000Z",
          behindBytes: 77,
          oldestUnackedMs: 12,
          gaps: 1,
        },
      ],
    },
  ]);
  expect(AGENT_LIST.parse(JSON.parse(JSON.stringify(list)))).toEqual(list);
});

test.each([
  ["connected and has not said", presence({}), false, null],
  ["connected and is finished", presence({}), true, 0],
  [
    "of an agent that is away",
    { ...presence({}), connectedAgents: new Set<number>() },
    false,
    null,
  ],
  ["seen without a collector", undefined, false, null],
])("the backlog of a stream that is %s", (_, present, isFinished, expected) => {
  using store = new FakeStore();
  store.knownStreams = [stream({ isFinished })];
  const [entry] = listAgents(store.reader, present);
  expect(entry?.streams[0]?.behindBytes).toBe(expected);
  expect(entry?.streams[0]?.oldestUnackedMs).toBe(expected);
});

test("whether an agent is connected is unknown without a collector", () => {
  using store = new FakeStore();
  expect(listAgents(store.reader, undefined)[0]?.connected).toBeNull();
});

test("agents come by host, streams by source and generation", () => {
  using store = new FakeStore();
  store.knownAgents = [agent({ agent: 2, agentId: "b", host: "z" }), agent({ host: "a" })];
  store.knownStreams = [
    stream({ source: "b", generation: 0 }),
    stream({ source: "a", generation: 10 }),
    stream({ source: "a", generation: 9 }),
  ];
  const list = listAgents(store.reader, undefined);
  expect(list.map(({ host }) => host)).toEqual(["a", "z"]);
  expect(list[0]?.streams.map(({ source, generation }) => `${source}${generation}`)).toEqual([
    "a9",
    "a10",
    "b0",
  ]);
});

test.each([
  ["one microsecond less", 10 * MINUTE_US - 1, 0],
  ["exactly so long", 10 * MINUTE_US, 1],
])("an agent whose last line is %s ago is silent or not", (_, agoUs, expected) => {
  using store = new FakeStore();
  store.knownStreams = [
    stream({ lastReceivedUs: NOW_US - agoUs }),
    stream({ lastReceivedUs: NOW_US - DAY_US }), // one busy stream is enough
  ];
  const silence = { nowUs: NOW_US, forMs: 600_000 };
  expect(listAgents(store.reader, presence({}), silence)).toHaveLength(expected);
});

test("an agent that never sent a line is silent since it was first seen, however often it reconnects", () => {
  using store = new FakeStore();
  store.knownAgents = [agent({ firstSeenUs: NOW_US - DAY_US, lastSeenUs: NOW_US })];
  store.knownStreams = [];
  const silence = { nowUs: NOW_US, forMs: 600_000 };
  expect(listAgents(store.reader, presence({}), silence)).toHaveLength(1);
});

test("people see a row for each host and source, its generations added up", () => {
  using store = new FakeStore();
  store.knownAgents = [agent({}), agent({ agent: 2, agentId: "a2", host: "web-2" })];
  store.knownStreams = [
    stream({ streamId: 1, generation: 0, isFinished: true, records: 1_000, bytes: 50_000 }),
    stream({
      streamId: 2,
      generation: 1,
      records: 234,
      bytes: 1_000,
      filteredRecords: 1_001,
      gaps: 2,
    }),
  ];
  const list = listAgents(
    store.reader,
    presence({ 2: { behindBytes: 2048, oldestUnackedMs: 50 } }),
  );
  expect(formatAgents(list, NOW_US / 1000 + 90_000, false)).toBe(
    [
      "HOST   STATE      SOURCE           LAST EVENT   BEHIND  OLDEST UNACKED  RECORDS   TEXT  FILTERED  GAPS",
      "web-1  connected  /var/log/syslog      1m ago  2.05 kB           50 ms    1,234  51 kB     1,001     2",
      "web-2  away       (nothing yet)",
      "",
    ].join("\n"),
  );
});

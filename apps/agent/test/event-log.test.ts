import { beforeEach, describe, expect, it } from "vitest";

import type { AgentEvent } from "../src/agent-event.ts";
import { EventLog } from "../src/event-log.ts";

const refused = {
  kind: "disconnected",
  collector: "ws://c",
  reason: "connect ECONNREFUSED",
  advice: undefined,
  retryInMs: 100,
} as const satisfies AgentEvent;

let nowMs: number;
let written: { level: string; fields: Record<string, unknown>; message: string }[];
let log: EventLog;

beforeEach(() => {
  nowMs = 0;
  written = [];
  const at =
    (level: string) =>
    (fields: unknown, message?: unknown): void => {
      const text = String(message);
      written.push({ level, fields: fields as Record<string, unknown>, message: text });
    };
  log = new EventLog(
    { info: at("info"), warn: at("warn"), error: at("error") } as never,
    () => nowMs,
  );
});

describe("the agent's log", () => {
  it("says a warning that goes on once a minute, with how often it was left out", () => {
    for (; nowMs < 120_000; nowMs += 1_000) {
      log.write({ ...refused, retryInMs: nowMs });
    }
    expect(written.map(({ fields }) => fields["repeated"])).toEqual([undefined, 59]);
    expect(written[0]?.message).toBe("not connected: connect ECONNREFUSED");
  });

  it("says at once what is another reason, another collector or another failure", () => {
    log.write(refused);
    log.write({ ...refused, reason: "the collector answered 401" });
    log.write({ ...refused, collector: "ws://d" });
    log.write({ kind: "failed", error: new Error("one") });
    log.write({ kind: "failed", error: new Error("two") });
    log.write({ kind: "failed", error: new Error("two") });
    expect(written).toHaveLength(5);
  });

  it("never holds back a loss: each gap is another one", () => {
    for (const generation of [1, 2, 3]) {
      log.write({
        kind: "tail",
        event: {
          kind: "gap",
          source: "/a",
          generation,
          cause: "deleted",
          fromByte: 0,
          knownBytes: 5,
        },
      });
    }
    expect(written.map(({ level }) => level)).toEqual(["warn", "warn", "warn"]);
  });

  it("never holds back what is no warning", () => {
    for (let i = 0; i < 3; i++) log.write({ kind: "connected", url: "ws://c" });
    expect(written).toHaveLength(3);
  });

  it("remembers a bounded number of warnings, the latest", () => {
    const unreadable = (path: string): AgentEvent => ({
      kind: "tail",
      event: { kind: "unreadable", path, code: "EACCES" },
    });
    for (let i = 0; i < 2_000; i++) log.write(unreadable(`/${i}`));
    written.length = 0;
    log.write(unreadable("/1999"));
    expect(written).toHaveLength(0);
    log.write(unreadable("/0"));
    expect(written).toHaveLength(1);
  });
});

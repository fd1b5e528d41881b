import { describe, expect, it } from "vitest";

import { noCounts } from "../../src/processing/processing-counts.ts";
import { formatStatus } from "../../src/status/status-text.ts";
import { statusOf, streamOf } from "./status-of.ts";

const NOW_MS = Date.parse("2026-11-24T13:00:00.000Z");

describe("a status for people", () => {
  it("lines up its streams, with sizes and times as people read them", () => {
    const streams = [
      streamOf({ source: "/var/log/syslog", lagBytes: 1_500_000, lagMs: 95_000, generation: 3 }),
      streamOf({ recordsPerSecond: 12.34, bytesPerSecond: 1_234, storedBytes: 47_300_000_000 }),
    ];
    const text = formatStatus(statusOf({ streams }), false, NOW_MS);
    expect(text.split("\n").slice(-5)).toEqual([
      "",
      "SOURCE              STATE      BEHIND     FOR  LINES/S  BYTES/S   STORED  FILTERED  GAPS",
      "/var/log/syslog #3  behind     1.5 MB  1m 35s        0      0 B      0 B       0 B   0 B",
      "/a                  caught up     0 B       -     12.3  1.23 kB  47.3 GB       0 B   0 B",
      "",
    ]);
    expect(text).toContain("2 open, 0 finished, 1 behind by 1.5 MB");
  });

  it("says why there is no connection, and what to do about it", () => {
    const lastDisconnect = {
      at: "2026-11-24T12:59:30.000Z",
      reason: "the collector answered 401",
      advice: "mend the token",
    };
    const connection = { ...statusOf().connection, failedAttempts: 3, retryInMs: 40_000 };
    const text = formatStatus(
      statusOf({ connection: { ...connection, lastDisconnect } }),
      false,
      NOW_MS,
    );
    expect(text).toContain("not connected after 3 attempts, next in 40s");
    expect(text).toContain("30s ago: the collector answered 401");
    expect(text).toContain("mend the token");
  });

  it("names what goes wrong with a source, with or without a stream", () => {
    const at = "2026-11-24T12:59:00.000Z";
    const text = formatStatus(
      statusOf({
        streams: [streamOf({ lastError: { at, message: "lost" } })],
        troubles: [{ source: "/secret", at, message: "cannot be read" }],
      }),
      false,
      NOW_MS,
    );
    expect(text).toContain("! /a: lost (1m ago)");
    expect(text).toContain("! /secret: cannot be read (1m ago)");
  });

  it("says what the rules of a source have done, and nothing of those that had nothing to do", () => {
    const none = { ...noCounts(), source: "/quiet" };
    const some = { ...noCounts(), source: "/a", excluded: 12, redactions: 3, failed: 1 };
    const text = formatStatus(statusOf({ processing: [none, some] }), false, NOW_MS);
    expect(text).toContain("rules  /a: 12 excluded, 3 redacted, 1 where a rule failed\n");
    expect(text).not.toContain("/quiet");
  });

  it("lets no control character of a path through, and paints only where it is asked to", () => {
    const streams = [streamOf({ source: "/a\u001b[2J" })];
    const status = statusOf({ streams, host: "\u001b[2J", stateDir: "/s\u001b[2J" });
    expect(formatStatus(status, false, NOW_MS)).not.toContain("\u001b");
    expect(formatStatus(statusOf({ streams }), true, NOW_MS)).toContain("\u001b[32m");
  });
});

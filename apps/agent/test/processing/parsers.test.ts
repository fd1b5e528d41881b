import { LIMITS } from "@sluice/protocol";
import { describe, expect, it } from "vitest";

import type { ParseSettings } from "../../src/processing/processing-settings.ts";
import type { ProcessedRecord } from "../../src/processing/processor.ts";
import { processed, processorOf, READ_AT_US, recordOf, timeOf } from "./processing.ts";

function parsed(
  format: ParseSettings["format"],
  body: string,
  more: Partial<ParseSettings> = {},
): ProcessedRecord | undefined {
  return processed({ parse: { format, fields: undefined, time: undefined, ...more } }, body);
}

describe("parse", () => {
  it("takes time and level from the usual fields of JSON, and leaves the body as it is", () => {
    const body = `{"ts":1764198000.5,"lvl":"W","msg":"x","user":{"id":7,"tags":["a"]},"ok":true}`;
    const record = parsed("json", body);
    expect(record).toMatchObject({ timeUs: 1_764_198_000_500_000, severity: 13 });
    expect({ ...record?.attributes }).toEqual({
      "user.id": "7",
      "user.tags": '["a"]',
      ok: "true",
    });
    expect(Buffer.from(record?.body ?? []).toString()).toBe(body);
  });

  it.each(["9007199254740993", "1.10", "1e3", "-0", "12345678901234567890", "0.1", "-17"])(
    "keeps the number %s of JSON as it is written",
    (number) => {
      const record = parsed("json", `{"n": ${number}, "list":[${number}]}`);
      expect({ ...record?.attributes }).toEqual({ n: number, list: `[${number}]` });
    },
  );

  it("makes those fields attributes that are chosen, the message too", () => {
    const record = parsed("json", `{"msg":"x","a":{"b":1,"c":2},"level":"info"}`, {
      fields: ["msg", "a.b", "level"],
    });
    expect({ ...record?.attributes }).toEqual({ msg: "x", "a.b": "1", level: "info" });
    expect(record?.severity).toBe(9);
  });

  it("takes the time from the field that is named", () => {
    const when = parsed("json", `{"time":"2020-01-01T00:00:00Z","when":"2026-11-26T22:00:00Z"}`, {
      time: "when",
    });
    expect(when?.timeUs).toBe(timeOf("2026-11-26T22:00:00Z"));
  });

  it("reads logfmt with quotes and flags", () => {
    const record = parsed(
      "logfmt",
      `ts=2026-11-26T22:00:00Z level=error msg="a \\"b\\"" user=bob dry`,
    );
    expect(record).toMatchObject({ timeUs: timeOf("2026-11-26T22:00:00Z"), severity: 17 });
    expect({ ...record?.attributes }).toEqual({ user: "bob" });
  });

  it.each([
    [
      "RFC 5424",
      `<34>1 2026-11-26T22:00:00.003Z web-1 sshd 42 ID47 [ex@1 a="1" b="q\\"]x"][other c=""] text`,
      18,
      {
        SYSLOG_FACILITY: "4",
        SYSLOG_HOSTNAME: "web-1",
        SYSLOG_IDENTIFIER: "sshd",
        SYSLOG_PID: "42",
        SYSLOG_MSGID: "ID47",
        "ex@1.a": "1",
        "ex@1.b": 'q"]x',
        "other.c": "",
      },
    ],
    [
      "a file of rsyslog",
      "2026-11-26T22:00:00.003000+00:00 web-1 CRON[7]: (root) CMD (x)",
      0,
      { SYSLOG_HOSTNAME: "web-1", SYSLOG_IDENTIFIER: "CRON", SYSLOG_PID: "7" },
    ],
    [
      "RFC 3164",
      "<13>Nov 26 22:00:00 web-1 kernel: x",
      10,
      { SYSLOG_FACILITY: "1", SYSLOG_HOSTNAME: "web-1", SYSLOG_IDENTIFIER: "kernel" },
    ],
  ])("reads syslog: %s", (_name, body, severity, attributes) => {
    const record = parsed("syslog", body);
    expect({ ...record?.attributes }).toEqual(attributes);
    expect(record?.severity).toBe(severity);
    expect(Math.floor((record?.timeUs ?? 0) / 1e6)).toBe(timeOf("2026-11-26T22:00:00Z") / 1e6);
  });

  it("reads combined access logs", () => {
    const line = `www:443 10.0.0.1 - bob [26/Nov/2026:23:00:00 +0100] "GET /a?b=1 HTTP/2.0" 404 17 "https://x/" "curl/8 \\"q\\""`;
    const record = parsed("apache", line);
    expect(record?.timeUs).toBe(timeOf("2026-11-26T22:00:00Z"));
    expect({ ...record?.attributes }).toEqual({
      "server.address": "www:443",
      "client.address": "10.0.0.1",
      "user.name": "bob",
      "http.request.method": "GET",
      "url.original": "/a?b=1",
      "network.protocol.version": "2.0",
      "http.response.status_code": "404",
      "http.response.body.size": "17",
      "http.request.header.referer": "https://x/",
      "user_agent.original": 'curl/8 \\"q\\"',
    });
    const common = parsed("nginx", `::1 - - [26/Nov/2026:22:00:00 +0000] "\\x16\\x03" 400 -`);
    expect({ ...common?.attributes }).toEqual({
      "client.address": "::1",
      "http.response.status_code": "400",
    });
  });

  it("takes the named groups of a pattern", () => {
    const regex = String.raw`^(?<level>\w) (?<time>\S+) (?P<app>\w+)(?: (?<opt>x))?`;
    const record = parsed({ regex }, "E 2026-11-26T22:00:00Z shop\n second");
    expect(record).toMatchObject({ severity: 17, timeUs: timeOf("2026-11-26T22:00:00Z") });
    expect({ ...record?.attributes }).toEqual({ app: "shop" });
  });

  it.each([
    ["json", "plain {"],
    ["json", '{"cut":'],
    ["json", "[1]"],
    ["logfmt", "prose with a=b in it, and more than that"],
    ["logfmt", 'a="open'],
    ["syslog", "hello"],
    ["nginx", "2026/11/26 22:00:00 [error] 1#1: x"],
  ] as const)("ships a line that is not %s as it is, and counts it: %s", (format, body) => {
    const processor = processorOf({ parse: { format, fields: undefined, time: undefined } });
    const record = processor.process(recordOf(body), READ_AT_US);
    expect(Buffer.from(record?.body ?? []).toString()).toBe(body);
    expect(record?.attributes).toBeUndefined();
    expect(processor.counts).toMatchObject({ unparsed: 1, failed: 0 });
  });

  it("drops attributes beyond a record's bounds, and says how many", () => {
    const many = Object.fromEntries(Array.from({ length: 140 }, (_, i) => [`f${i}`, i]));
    const tooMany = parsed("json", JSON.stringify(many))?.attributes ?? {};
    expect(Object.keys(tooMany)).toHaveLength(LIMITS.recordAttributes - 2);
    expect(tooMany["sluice.dropped_attributes"]).toBe(String(140 - (LIMITS.recordAttributes - 3)));
    const long = { a: "x".repeat(60_000), b: "y".repeat(60_000), c: "z" };
    expect(Object.keys(parsed("json", JSON.stringify(long))?.attributes ?? {})).toEqual([
      "a",
      "c",
      "sluice.dropped_attributes",
    ]);
  });

  it("lets no line pass itself off as the source, the operator or the agent", () => {
    const body = `{"env":"fake","_PID":"0","sluice.original_bytes":"1","__proto__":"p","half":"\\ud800"}`;
    const record = processed(
      {
        parse: { format: "json", fields: undefined, time: undefined },
        attributes: { env: "prod" },
      },
      body,
      { attributes: { _PID: "7" } },
    );
    expect(Object.entries(record?.attributes ?? {})).toEqual([
      ["_PID", "7"],
      ["env", "prod"],
      ["__proto__", "p"],
      ["half", "\ufffd"],
      ["sluice.dropped_attributes", "1"],
    ]);
  });
});

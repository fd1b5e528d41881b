import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";

import { shortenSource } from "../../src/output/pretty.ts";
import { live, NOW_MS, printed, row } from "./written.ts";

const EVIL = "\u001b[31mred\u0007 \u202ertl";

describe("raw", () => {
  test("is each body's bytes and a newline", () => {
    const bytes = Uint8Array.of(0xff, 0x00, 0x1b, 0x0d);
    const output = printed({ format: "raw" }, [row("é\r"), row(bytes), row("")]);
    expect(output).toEqual(Buffer.concat([Buffer.from("é\r\n"), bytes, Buffer.from("\n\n")]));
  });

  test("on a terminal makes controls visible", () => {
    expect(printed({ format: "raw", isTerminal: true }, [row(EVIL)]).toString()).toBe(
      "\\x1b[31mred\\x07 \\u202ertl\n",
    );
  });
});

describe("json", () => {
  test("is one array over all chunks", () => {
    const rows = [row("a"), row("b\n"), row("c")];
    const output = printed({ format: "json" }, rows.slice(0, 2), [], rows.slice(2));
    expect(JSON.parse(output.toString())).toEqual(rows);
  });

  test("of nothing is an empty array", () => {
    expect(printed({ format: "json" }).toString()).toBe("[]\n");
  });

  test.each(["jsonl", "csv", "pretty"] as const)(
    "%s keeps integers beyond 2^53 exactly",
    (format) => {
      const line = '{"max(x)":9007199254740993,"n":1.5}';
      const output = printed({ format, isTable: true, fields: ["n", "max(x)"] }, [line]);
      expect(output.toString()).toContain("9007199254740993");
    },
  );
});

describe("jsonl", () => {
  test("passes the collector's lines on byte for byte", () => {
    const rows = [row("a"), row(EVIL)];
    expect(printed({ format: "jsonl" }, rows).toString()).toBe(
      rows.map((each) => `${JSON.stringify(each)}\n`).join(""),
    );
  });

  test("on a terminal is the same JSON without a control in it", () => {
    const output = printed({ format: "jsonl", isTerminal: true }, [row(EVIL)]).toString();
    expect(output.slice(0, -1)).not.toMatch(/\p{Cc}|\p{Bidi_Control}/u);
    expect(JSON.parse(output)).toEqual(row(EVIL));
  });

  test("takes fields from the row, then from its attributes", () => {
    const output = printed({ format: "jsonl", fields: ["id", "unit", "gone"] }, [
      row("a", { attributes: { unit: "ssh", id: "other" } }),
    ]);
    expect(output.toString()).toBe('{"id":"3-7","unit":"ssh"}\n');
  });
});

describe("csv", () => {
  test.each([
    ["plain text", "a b", "a b"],
    ["a comma", "a,b", '"a,b"'],
    ["quotes", 'say "hi"', '"say ""hi"""'],
    ["a line break", "a\nb", '"a\nb"'],
    ["a trailing CR", "a\r", '"a\r"'],
    ["nothing", "", ""],
  ])("quotes %s where RFC 4180 asks for it", (_, body, expected) => {
    const output = printed({ format: "csv", fields: ["body", "host"] }, [row(body)]);
    expect(output.toString()).toBe(`body,host\r\n${expected},web-1\r\n`);
  });

  test("of no records is its header", () => {
    expect(printed({ format: "csv" }).toString()).toBe("time,host,source,level,body\r\n");
  });

  test("of a table has the table's columns", () => {
    const output = printed({ format: "csv", isTable: true }, [{ host: "a", count: 3 }]);
    expect(output.toString()).toBe("host,count\r\na,3\r\n");
  });
});

test("logfmt quotes what holds spaces, quotes or controls", () => {
  const output = printed({ format: "logfmt", fields: ["level", "body", "gone"] }, [
    row('a="b"\n'),
    row("plain"),
  ]);
  expect(output.toString()).toBe(
    'level=error body="a=\\"b\\"\\n" gone=""\nlevel=error body=plain gone=""\n',
  );
});

describe("pretty", () => {
  test("on a terminal aligns its columns and says the day where it is not today", () => {
    const output = printed({ isTerminal: true }, [
      row("connect() failed", { time: "2026-11-23T23:59:59.999999Z" }),
      row("up\r", { host: "database-12", level: "info", source: "/var/log/syslog" }),
      row(Uint8Array.of(0x61, 0xff), { level: "unknown" }),
    ]);
    expect(output.toString()).toBe(
      [
        "── Mon 2026-11-23 ──",
        "23:59:59.999  ERR  web-1        nginx/error.log  connect() failed",
        "── Tue 2026-11-24 ──",
        "07:59:58.123  INF  database-12  syslog           up",
        "07:59:58.123   -   web-1        nginx/error.log  a\\xff",
        "",
      ].join("\n"),
    );
  });

  test("in a pipe has the whole time and the bytes as they are", () => {
    const output = printed({}, [row(EVIL), row(Uint8Array.of(0xff, 0x0d))]);
    const prefix = "2026-11-24T07:59:58.123Z  ERR  web-1  nginx/error.log  ";
    expect(output).toEqual(
      Buffer.concat([
        Buffer.from(`${prefix}${EVIL}\n${prefix}`),
        Uint8Array.of(0xff),
        Buffer.from("\n"),
      ]),
    );
  });

  test("lets no control of a record through to a terminal", () => {
    const output = printed({ isTerminal: true, hasColor: true, query: "red" }, [
      row(EVIL, { host: EVIL, source: EVIL, time: EVIL }),
      row(Buffer.concat([Buffer.from(EVIL), Uint8Array.of(0xff)])),
    ]).toString();
    const ours = stripVTControlCharacters(output).replaceAll("\n", "");
    expect(ours).not.toMatch(/\p{Cc}|\p{Bidi_Control}/u);
    expect(ours).toContain("\\x1b[31mred\\x07 \\u202ertl");
  });

  test.each([
    ["a word wherever it stands whole", "red", "Red, redo and red", ["Red", "red"]],
    ["a part of a word", "*ed*", "redo", ["ed"]],
    ["both sides of an or", "a or b", "a b c", ["a", "b"]],
    ["the first match of a pattern", "/o+/", "foo zoo", ["oo"]],
    ["nothing that was not to be there", "-red", "blue", []],
  ])("highlights %s", (_, query, body, expected) => {
    const output = printed({ isTerminal: true, hasColor: true, query }, [row(body)]).toString();
    // oxlint-disable-next-line no-control-regex -- the colours themselves
    const marked = output.matchAll(/\u001b\[1m\u001b\[35m(.*?)\u001b/g);
    expect([...marked].map((match) => match[1])).toEqual(expected);
  });

  test.each([
    ["/var/log/nginx/error.log", "nginx/error.log"],
    ["/var/log/syslog", "syslog"],
    ["/srv/app/current/log/production.log", "log/production.log"],
    ["journald", "journald"],
    [`/var/log/${"x".repeat(40)}.log`, `…${"x".repeat(23)}.log`],
  ])("shortens the source %s to %s", (source, expected) => {
    expect(shortenSource(source)).toBe(expected);
  });
});

describe("a table", () => {
  test("has numbers on the right and texts on the left", () => {
    const output = printed({ isTable: true }, [
      { host: "web-1", count: 7, "avg(took)": 1.5 },
      { host: "db", count: 12_345, "avg(took)": 20 },
    ]);
    expect(output.toString()).toBe(
      ["host   count  avg(took)", "web-1      7        1.5", "db     12345         20", ""].join(
        "\n",
      ),
    );
  });

  test("shows an average short, and csv all of its digits", () => {
    const rows = [{ "avg(took)": 2920.4210526315787 }];
    expect(printed({ isTable: true }, rows).toString()).toBe("avg(took)\n  2920.42\n");
    expect(printed({ isTable: true, format: "csv" }, rows).toString()).toContain(
      "2920.4210526315787",
    );
  });

  test("shows times in the zone that was asked for", () => {
    const output = printed({ isTable: true, nowMs: NOW_MS }, [
      { time: "2026-11-24T07:00:00.000000Z", count: 1 },
    ]);
    expect(output.toString()).toContain("2026-11-24T07:00:00.000Z      1");
  });

  test("measures the first thousand rows and streams the others", () => {
    const rows = Array.from({ length: 1500 }, (_, i) => ({ n: i }));
    const lines = printed({ isTable: true }, rows).toString().trimEnd().split("\n");
    expect(lines).toHaveLength(1501);
    expect(lines[1001]?.trim()).toBe("1000");
  });
});

test.each(["csv", "pretty"] as const)(
  "%s in a live view has one header, and rows at once",
  (format) => {
    const { print, written } = live({ format, isTable: format === "pretty", fields: ["n"] });
    expect(print([])).toBe(format === "csv" ? "n\r\n" : "");
    print([{ n: 1 }]);
    print([{ n: 2 }]);
    expect(written().trimEnd().split(/\s+/)).toEqual(["n", "1", "2"]);
  },
);

import { execFileSync } from "node:child_process";
import { appendFileSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { EXIT } from "@sluice/service";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { readLastLines } from "../src/preview/last-lines.ts";
import { rulesFromConfig, rulesFromFlags } from "../src/preview/preview-rules.ts";
import { preview, type PreviewRequest } from "../src/preview/preview.ts";
import { Folder } from "./folder.ts";

let folder: Folder;
let path: string;

beforeEach(() => {
  folder = new Folder();
  path = join(folder.path, "app.log");
});

afterEach(() => folder[Symbol.dispose]());

/** What is shown of a file, without following it. */
async function shown(content: string | Uint8Array, more: Partial<PreviewRequest> = {}) {
  writeFileSync(path, content);
  let text = "";
  await preview({
    path,
    lines: 10,
    follows: false,
    rules: rulesFromFlags({}),
    hasColor: false,
    write: (part) => (text += part),
    signal: new AbortController().signal,
    ...more,
  });
  return text;
}

const INDENT = " ".repeat(34);

describe("a preview", () => {
  it("of a pipe is refused, not waited for", async () => {
    const pipe = join(folder.path, "pipe");
    execFileSync("mkfifo", [pipe]);
    await expect(shown("", { path: pipe })).rejects.toThrow("is not a regular file");
  });

  it("shows time, severity, attributes, body and what was done to each record", async () => {
    const content = [
      '{"time":"2026-11-26T23:00:00Z","level":"warn","user":"bob","password":"x"}',
      '{"time":"2026-11-26T23:00:01Z","path":"/healthz"}',
      "no JSON",
    ].join("\n");
    const rules = rulesFromFlags({ parse: "json", redact: ["secrets"], excludeLines: ["healthz"] });
    expect(await shown(content, { rules })).toBe(
      [
        '2026-11-26T23:00:00.000000Z WARN  {"time":"2026-11-26T23:00:00Z","level":"warn","user":"bob","password":"***"}',
        `${INDENT}user=bob password=***`,
        `${INDENT}[redacted]`,
        '---------------------------       {"time":"2026-11-26T23:00:01Z","path":"/healthz"}',
        `${INDENT}[dropped by include_lines or exclude_lines]`,
        "(no time of its own)        -     no JSON",
        `${INDENT}[not parsed]`,
        "",
      ].join("\n"),
    );
  });

  it("shows the lines of one record below each other, and no control character of theirs", async () => {
    const content = "2026-11-26T23:00:00Z ERROR \u001b[31mx\n\tat a.B.c(B.java:1)\nnext \u202e\n";
    expect(await shown(content, { rules: rulesFromFlags({ multiline: "java" }) })).toBe(
      [
        "2026-11-26T23:00:00.000000Z ERROR 2026-11-26T23:00:00Z ERROR \\x1b[31mx",
        `${INDENT}| \tat a.B.c(B.java:1)`,
        "(no time of its own)        -     next \\u202e",
        "",
      ].join("\n"),
    );
  });

  it("shows a file of UTF-16 as text, from the middle of it on", async () => {
    const content = Buffer.from("\ufeffone\ntwo \u65e5\nthree\n", "utf16le");
    expect(await shown(content, { lines: 2 })).toBe(
      ["two \u65e5", "three"].map((body) => `(no time of its own)        -     ${body}\n`).join(""),
    );
  });

  it("follows what is written from then on", async () => {
    writeFileSync(path, "one\ntwo\npart");
    const abort = new AbortController();
    const parts: string[] = [];
    let wake: () => void = () => undefined;
    const isShown = async (text: string): Promise<void> => {
      while (!parts.join("").includes(text)) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        await promise;
      }
    };
    const running = preview({
      path,
      lines: 2,
      follows: true,
      rules: rulesFromFlags({}),
      hasColor: false,
      write: (part) => {
        parts.push(part);
        wake();
      },
      signal: abort.signal,
    });
    await isShown("two");
    appendFileSync(path, Buffer.from("ly \xff\nthree\n", "latin1"));
    await isShown("three");
    abort.abort(new Error("enough"));
    await running;
    const bodies = parts
      .join("")
      .trimEnd()
      .split("\n")
      .map((line) => line.slice(34));
    expect(bodies).toEqual(["two", "partly \u00ff", "three"]);
  });

  it.each(["no-such.log", "."])("says what is wrong with %s", async (name) => {
    await expect(shown("", { path: join(folder.path, name) })).rejects.toMatchObject({
      exitCode: EXIT.failed,
    });
  });
});

describe("the last lines of a file", () => {
  it.each([
    ["a\nb\nc\n", 2, "b\nc\n"],
    ["a\nb\nc", 2, "b\nc"],
    ["a\nb\n", 5, "a\nb\n"],
    ["a\nb\n", 0, ""],
    ["\n\n\n", 2, "\n\n"],
    ["", 3, ""],
    [`${"x".repeat(70_000)}\n${"y".repeat(70_000)}\nz\n`, 2, `${"y".repeat(70_000)}\nz\n`],
  ])("case %#", async (content, count, expected) => {
    writeFileSync(path, content);
    await using file = await open(path);
    const bytes = await readLastLines(file, content.length, count, 1);
    expect(Buffer.from(bytes).toString()).toBe(expected);
  });
});

describe("the rules of a preview", () => {
  it("are those of the source that covers the file", async () => {
    const config = join(folder.path, "agent.yaml");
    const sources = `sources:\n  - {file: /var/log/*.log, parse: syslog}\n  - {file: "${folder.path}/**", exclude: "${folder.path}/x.log", parse: json}\n`;
    writeFileSync(config, `state_dir: ${folder.path}\n${sources}`);
    expect(await rulesFromConfig(config, path, {})).toMatchObject({
      processing: { parse: { format: "json" } },
    });
    await expect(rulesFromConfig(config, "/etc/passwd", {})).rejects.toThrow("no source covers");
    await expect(rulesFromConfig(config, join(folder.path, "x.log"), {})).rejects.toThrow(
      "no source covers",
    );
  });

  it("of flags are checked as those of a configuration are", () => {
    expect(() => rulesFromFlags({ excludeLines: ["(?=x)"] })).toThrow(
      /^--exclude-lines: the pattern cannot be matched in linear time/,
    );
  });
});

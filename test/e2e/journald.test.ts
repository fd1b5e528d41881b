import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { ChaosProxy } from "../src/chaos/chaos-proxy.ts";
import { Site } from "../src/site.ts";
import { StoredData } from "../src/stored.ts";

const JOURNAL_REMOTE = "/lib/systemd/systemd-journal-remote";
const NO_JOURNALS = !existsSync(JOURNAL_REMOTE)
  ? "needs Debian's systemd-journal-remote"
  : spawnSync("journalctl", ["--version"]).status === 0
    ? undefined
    : "needs journalctl";

const EPOCH_US = 1_700_000_000_000_000;

let site: Site;

beforeEach(() => (site = new Site()));
afterEach(() => site[Symbol.asyncDispose]());

describe.skipIf(NO_JOURNALS !== undefined)(`a journal (${NO_JOURNALS ?? "real files"})`, () => {
  test("arrives exactly once and in order though the agent is killed in the middle of it", async () => {
    const { port } = await site.startCollector();
    await using proxy = await ChaosProxy.start(port);
    const dir = join(site.dir, "journal");
    mkdirSync(dir);
    const sources = [{ journald: { directory: dir }, start: "beginning" }];
    const messages: Buffer[] = [];
    const write = (file: number): void => {
      const more = messagesOf(file);
      addFile(dir, messages.length, more);
      messages.push(...more);
    };
    write(0);
    for (const [index, from] of (["agent", "collector"] as const).entries()) {
      const killed = proxy.trap({
        from,
        // A batch that does not arrive, or one whose ack does not.
        matches: ({ kind }, control) =>
          from === "agent" ? kind === "binary" : control?.type === "ack",
        spring: () => {
          void site.services.at(-1)?.kill();
          return false;
        },
      });
      const agent = site.launchAgent({ port: proxy.port, sources });
      await killed;
      await agent.exited;
      write(index + 1);
    }
    await site.startAgent({ port: proxy.port, sources });
    await site.untilStored(messages.length);
    using data = StoredData.open(site.dataDir);
    expect(data.gaps()).toEqual([]);
    expect(data.streams()).toMatchObject([{ source: `journald:${dir}`, generation: 1 }]);
    const lines = [...data.batches(`journald:${dir}`)].flat().map((line) => Buffer.from(line));
    expect(lines).toEqual(messages.map((message) => Buffer.concat([message, Buffer.from("\n")])));
  });

  test("is found by its fields, its level and its host's label", async () => {
    const { port } = await site.startCollector();
    const dir = join(site.dir, "journal");
    mkdirSync(dir);
    addFile(dir, 0, [Buffer.from("first line\nsecond line")]);
    const journald = { directory: dir, fields: ["_SYSTEMD_UNIT"] };
    await site.startAgent({
      port,
      sources: [{ journald, start: "beginning", labels: { env: "test" } }],
    });
    await site.untilStored(1);
    const filter = `source:journald:* level:error _SYSTEMD_UNIT:ssh.service env:test`;
    const { stdout } = await site.sluice("query", filter, "-o", "jsonl", ...site.asking(port));
    expect(JSON.parse(stdout)).toMatchObject({
      source: `journald:${dir}`,
      body: "first line\nsecond line",
      severity: 17,
      time: "2023-11-14T22:13:20.000000Z",
      attributes: { _SYSTEMD_UNIT: "ssh.service" },
    });
  });
});

/** Lines, long ones, binary ones and such of several lines. */
function messagesOf(file: number): Buffer[] {
  return Array.from({ length: 300 }, (_, index) => {
    const name = `file ${file}, message ${index}`;
    switch (index % 50) {
      case 1:
        return Buffer.from(`${name}\n  at one\n  at two`);
      case 2:
        return Buffer.from(`${name} ${"x".repeat(5 * 1024)}`);
      case 3:
        return Buffer.concat([Buffer.from(name), Buffer.from([0, 0xff, 0x0a, 0x80])]);
      default:
        return Buffer.from(name);
    }
  });
}

function addFile(dir: string, from: number, messages: readonly Buffer[]): void {
  const entries = messages.flatMap((message, index) => {
    const number = from + index;
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(message.length));
    return [
      Buffer.from(
        [
          `__REALTIME_TIMESTAMP=${EPOCH_US + number}`,
          `__MONOTONIC_TIMESTAMP=${1_000_000 + number}`,
          `_BOOT_ID=${"a".repeat(32)}`,
          "_SYSTEMD_UNIT=ssh.service",
          "PRIORITY=3",
          "MESSAGE\n",
        ].join("\n"),
      ),
      length,
      message,
      Buffer.from("\n\n"),
    ];
  });
  const input = join(dir, "..", "input.export");
  writeFileSync(input, Buffer.concat(entries));
  execFileSync(JOURNAL_REMOTE, ["-o", join(dir, `${from}.journal`), input], { stdio: "ignore" });
}

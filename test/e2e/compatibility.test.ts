import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { laterMessages } from "../src/compatibility/later-version.ts";
import { MessageProxy } from "../src/compatibility/message-proxy.ts";
import { playAgent, readTranscripts, type Transcript } from "../src/compatibility/transcript.ts";
import { LogWriter } from "../src/log-writer.ts";
import { NumberedLines } from "../src/numbered-lines.ts";
import { Prng } from "../src/corpus/prng.ts";
import { accountForLines } from "../src/kill/line-account.ts";
import { Site } from "../src/site.ts";
import { StoredData } from "../src/stored.ts";

const TRANSCRIPTS = readTranscripts();

/** What is the same whenever it is played: where streams stand. Ids, clocks and credit are each store's own. */
function positions(messages: readonly string[]): unknown[] {
  return messages.flatMap((text) => {
    const { type, streams } = JSON.parse(text) as { type: string; streams?: unknown };
    return ["opened", "ack", "reset", "reject"].includes(type) ? [{ type, streams }] : [];
  });
}

function collectorOf({ messages }: Transcript): string[] {
  return messages.flatMap(({ from, text }) => (from === "collector" ? [text ?? ""] : []));
}

describe.each(TRANSCRIPTS)("an agent of $version", (transcript) => {
  test.each([
    ["is served as its own collector served it", undefined],
    [
      "and of the minor version after it, with keys and types that nobody knows, is served",
      laterMessages,
    ],
  ])("%s", async (_name, rewrite) => {
    await using site = new Site();
    const { port } = await site.startCollector();
    const token = readFileSync(join(site.dataDir, "tokens/ingest.token"), "utf8").trim();
    const said = await playAgent(transcript, { port, token, ...(rewrite && { rewrite }) });
    expect(positions(said)).toEqual(positions(collectorOf(transcript)));
    using data = StoredData.open(site.dataDir);
    expect(data.records()).toBe(transcript.records);
  });
});

test("this agent and this collector work through control messages of a minor version after theirs", async () => {
  await using site = new Site();
  const { port } = await site.startCollector();
  await using proxy = await MessageProxy.start({ port, rewrite: laterMessages });
  using writer = new LogWriter({
    path: join(site.logDir, "app.log"),
    lines: new NumberedLines(0, 200),
    random: new Prng(7),
    rotateEvery: 150,
  });
  const agent = await site.startAgent({ port: proxy.port, files: [writer.path] });
  await writer.write(400, 2_000);
  await site.untilStored(400);
  using data = StoredData.open(site.dataDir);
  expect(accountForLines(writer.path, data.batches(writer.path), writer.lines, 400)).toEqual([]);
  expect(data.gaps()).toEqual([]);
  expect(agent.log.filter(({ msg }) => msg.startsWith("disconnected"))).toEqual([]);
});

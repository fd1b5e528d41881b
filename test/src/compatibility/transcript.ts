import { readdirSync, readFileSync } from "node:fs";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";

import { PRODUCT } from "../product.ts";
import { LogWriter } from "../log-writer.ts";
import { NumberedLines } from "../numbered-lines.ts";
import { Prng } from "../corpus/prng.ts";
import { Site } from "../site.ts";
import { MessageProxy, type Sender } from "./message-proxy.ts";

/** One connection between the agent and the collector of a version, as it was. */
export interface Transcript {
  /** Of both. */
  readonly version: string;
  readonly source: string;
  /** Lines that were stored. */
  readonly records: number;
  /** `text`: a control message; `hex`: a message of frames. */
  readonly messages: readonly TranscriptMessage[];
}

interface TranscriptMessage {
  readonly from: Sender;
  readonly text?: string;
  readonly hex?: string;
}

const FOLDER = new URL("packages/protocol/golden/transcripts/", `file://${PRODUCT.root}/`);

/** All that are kept, oldest first. Like golden vectors they are never edited. */
export function readTranscripts(): Transcript[] {
  return readdirSync(fileURLToPath(FOLDER))
    .toSorted()
    .map((name) => JSON.parse(readFileSync(new URL(name, FOLDER), "utf8")) as Transcript);
}

/** A new one, of the products of this tree: a file that is read, grows, is rotated, and read to its end. */
export async function recordTranscript(version: string): Promise<Transcript> {
  await using site = new Site();
  const { port } = await site.startCollector();
  const messages: TranscriptMessage[] = [];
  await using proxy = await MessageProxy.start({
    port,
    passed: (from, data, isBinary) =>
      messages.push({
        from,
        ...(isBinary ? { hex: data.toString("hex") } : { text: data.toString() }),
      }),
  });
  using writer = new LogWriter({
    path: `${site.logDir}/app.log`,
    lines: new NumberedLines(0, 60),
    random: new Prng(7),
    rotateEvery: Number.POSITIVE_INFINITY,
  });
  await writer.write(60, 0);
  await site.startAgent({ port: proxy.port, files: [writer.path] });
  await site.untilStored(60);
  await writer.write(40, 0);
  await site.untilStored(100);
  await delay(1_500); // for a report, which comes each second
  return { version, source: writer.path, records: 100, messages };
}

/**
 * Plays the agent of a transcript to a collector: each of its messages is sent when the collector has answered as
 * often as it had then.
 *
 * @returns what the collector said, in order
 */
export async function playAgent(
  { messages }: Transcript,
  {
    port,
    token,
    rewrite,
  }: { port: number; token: string; rewrite?: (text: string) => readonly string[] },
): Promise<string[]> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/agent`, ["sluice.v1"], {
    headers: { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
  });
  const said = new Said();
  socket.on("message", (data: Buffer) => said.add(data.toString("utf8")));
  const closed = once(socket, "close").then(([code, reason]) => {
    throw new Error(`closed with ${String(code)}: ${String(reason)}`);
  });
  closed.catch(() => undefined); // where nobody waits for an answer any more
  await once(socket, "open");
  let due = 0;
  for (const { from, text, hex } of messages) {
    if (from === "collector") {
      due += 1;
      continue;
    }
    await Promise.race([said.atLeast(due), closed]);
    if (hex !== undefined) socket.send(Buffer.from(hex, "hex"));
    for (const each of text === undefined ? [] : (rewrite?.(text) ?? [text])) socket.send(each);
  }
  await Promise.race([said.atLeast(due), closed]);
  socket.close();
  return said.messages;
}

/** What has been heard, and who waits for more. */
class Said {
  readonly messages: string[] = [];
  #wake = Promise.withResolvers<void>();

  add(message: string): void {
    this.messages.push(message);
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }

  async atLeast(count: number): Promise<void> {
    while (this.messages.length < count) await this.#wake.promise;
  }
}

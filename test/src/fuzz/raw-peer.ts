import { createConnection, type Socket } from "node:net";
import { SUBPROTOCOL } from "@sluice/protocol";

import type { Prng } from "../corpus/prng.ts";
import { randomBytes } from "./frame-mutator.ts";
import type { HostileTarget } from "./hostile-agent.ts";

/** No reply and no end for this long means that the collector has stopped answering. */
const END_WITHIN_MS = 30_000;

const MOST_BYTES = 2_048;

/** Where raw bytes meet the collector: its HTTP parser, its WebSocket framing, or its messages. */
const LAYERS = ["http", "request", "websocket", "text", "binary"] as const;

export interface RawTally {
  strings: number;
  /** What came back: an HTTP status, a WebSocket close code, or an end without a word. */
  readonly replies: Map<string, number>;
}

/** Sends byte strings that are no protocol at all, each on a connection of its own. */
export class RawPeer {
  readonly #target: HostileTarget;
  readonly #port: number;
  readonly #random: Prng;
  readonly #tally: RawTally;

  constructor(target: HostileTarget, random: Prng, tally: RawTally) {
    this.#target = target;
    this.#port = Number(new URL(target.url).port);
    this.#random = random;
    this.#tally = tally;
  }

  /** Sends strings while `isDue` says so. */
  async run(isDue: () => boolean): Promise<void> {
    while (isDue()) {
      const reply = await this.#send();
      this.#tally.strings += 1;
      this.#tally.replies.set(reply, (this.#tally.replies.get(reply) ?? 0) + 1);
    }
  }

  async #send(): Promise<string> {
    const random = this.#random;
    const layer = LAYERS[random.below(LAYERS.length)] ?? "http";
    const bytes = randomBytes(random, 1 + random.skewed(MOST_BYTES));
    const socket = createConnection({
      port: this.#port,
      host: "127.0.0.1",
      localAddress: this.#target.address,
    });
    // The reason of every error is in the close that follows it.
    socket.on("error", () => undefined);
    const received: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => received.push(chunk));
    const closed = new Promise<void>((resolve, reject) => {
      const silent = new Error(`no end of a connection for ${END_WITHIN_MS} ms`);
      const timer = setTimeout(() => reject(silent), END_WITHIN_MS);
      socket.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
    });
    const replied = new Promise((resolve) => socket.once("data", resolve));
    switch (layer) {
      case "http":
        socket.end(bytes);
        break;
      case "request":
        socket.end(this.#spoilt(Buffer.from(this.#request())));
        break;
      case "websocket":
      case "text":
      case "binary":
        socket.write(this.#request());
        await Promise.race([replied, closed]);
        socket.end(layer === "websocket" ? bytes : message(layer, bytes, random));
        break;
      default:
        layer satisfies never;
    }
    await closed;
    return `${layer} ${replyOf(Buffer.concat(received), socket)}`;
  }

  /** One to four bytes of a good request are others. */
  #spoilt(request: Buffer): Buffer {
    const random = this.#random;
    for (let edits = 1 + random.below(4); edits > 0; edits--) {
      request[random.below(request.length)] = random.below(256);
    }
    return request;
  }

  #request(): string {
    const { token } = this.#target;
    const headers = [
      "GET /v1/agent HTTP/1.1",
      "Host: collector",
      `Authorization: Bearer ${token}`,
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${randomBytes(this.#random, 16).toString("base64")}`,
      `Sec-WebSocket-Protocol: ${SUBPROTOCOL}`,
    ];
    return `${headers.join("\r\n")}\r\n\r\n`;
  }
}

const OPCODES = { text: 0x81, binary: 0x82 } as const;

/** A whole WebSocket message as a client frames it (RFC 6455, 5.2). */
function message(kind: keyof typeof OPCODES, bytes: Buffer, random: Prng): Buffer {
  const mask = randomBytes(random, 4);
  const head = Buffer.from([OPCODES[kind], 0x80 | 126, bytes.length >>> 8, bytes.length & 0xff]);
  const masked = bytes.map((byte, i) => byte ^ (mask[i % 4] ?? 0));
  return Buffer.concat([head, mask, masked]);
}

function replyOf(received: Buffer, socket: Socket): string {
  const head = received.toString("latin1", 0, 64);
  const status = /^HTTP\/1\.1 (\d+)/.exec(head)?.[1];
  if (status === undefined) return socket.bytesRead === 0 ? "no reply" : "other bytes";
  if (status !== "101") return status;
  const frames = received.subarray(received.indexOf("\r\n\r\n") + 4);
  const close = frames.indexOf(0x88);
  return close === -1 || frames.length < close + 4
    ? "101, then closed"
    : `101, then ${frames.readUInt16BE(close + 2)}`;
}

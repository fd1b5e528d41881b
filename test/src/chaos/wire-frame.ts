/** What went over one direction of a connection: HTTP's head, then WebSocket frames (RFC 6455, 5.2). */
export interface WireFrame {
  readonly kind: "http" | "continuation" | "text" | "binary" | "close" | "ping" | "pong";
  /** The whole frame as it is on the wire. */
  readonly bytes: Buffer;
  readonly payloadAt: number;
  /** Offset of the four bytes that the payload is XORed with; undefined where it is in the clear. */
  readonly maskAt: number | undefined;
}

const OPCODES: Readonly<Record<number, WireFrame["kind"]>> = {
  0: "continuation",
  1: "text",
  2: "binary",
  8: "close",
  9: "ping",
  10: "pong",
};

const HEAD_END = "\r\n\r\n";

/** Cuts a direction's bytes into whole frames, however they arrive. */
export class WireFrameReader {
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** How many bytes the frame at hand needs at least. */
  #needed = 1;
  #phase: "head" | "frames" | "raw" = "head";

  push(chunk: Buffer): WireFrame[] {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    const frames: WireFrame[] = [];
    while (this.#bytes >= this.#needed) {
      const all = Buffer.concat(this.#chunks);
      const frame = this.#next(all);
      const rest = frame === undefined ? all : all.subarray(frame.bytes.length);
      this.#chunks = [rest];
      this.#bytes = rest.length;
      if (frame === undefined) continue;
      frames.push(frame);
      this.#needed = 1;
    }
    return frames;
  }

  /** The frame that `all` begins with; undefined, and `#needed` raised, where it is not whole. */
  #next(all: Buffer): WireFrame | undefined {
    if (this.#phase === "frames") return this.#nextFrame(all);
    const end = this.#phase === "raw" ? all.length : all.indexOf(HEAD_END) + HEAD_END.length;
    if (end < HEAD_END.length && this.#phase === "head") {
      this.#needed = all.length + 1;
      return undefined;
    }
    const bytes = all.subarray(0, end);
    if (this.#phase === "head") {
      const isRefusal = /^HTTP\/1\.1 (?!101)/.test(bytes.toString("latin1"));
      this.#phase = isRefusal ? "raw" : "frames";
    }
    return { kind: "http", bytes, payloadAt: 0, maskAt: undefined };
  }

  #nextFrame(all: Buffer): WireFrame | undefined {
    const [first = 0, second = 0] = all;
    const short = second & 0x7f;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const isMasked = (second & 0x80) !== 0;
    const payloadAt = 2 + lengthBytes + (isMasked ? 4 : 0);
    this.#needed = Math.max(2, payloadAt);
    if (all.length < this.#needed) return undefined;
    const payloadBytes =
      lengthBytes === 0
        ? short
        : lengthBytes === 2
          ? all.readUInt16BE(2)
          : Number(all.readBigUInt64BE(2));
    this.#needed = payloadAt + payloadBytes;
    if (all.length < this.#needed) return undefined;
    const kind = OPCODES[first & 0x0f];
    if (kind === undefined) throw new Error(`opcode ${first & 0x0f} on the wire`);
    const bytes = all.subarray(0, this.#needed);
    return { kind, bytes, payloadAt, maskAt: isMasked ? payloadAt - 4 : undefined };
  }
}

/** A frame's payload in the clear; a copy. */
export function payloadOf({ bytes, payloadAt, maskAt }: WireFrame): Buffer {
  const payload = Buffer.from(bytes.subarray(payloadAt));
  if (maskAt !== undefined) {
    for (let i = 0; i < payload.length; i++) {
      payload[i] = (payload[i] ?? 0) ^ (bytes[maskAt + (i & 3)] ?? 0);
    }
  }
  return payload;
}

/** The protocol's control message in a text frame, as far as a bystander needs it. */
export interface SeenControl {
  readonly type: string;
  readonly streams?: ReadonlyArray<{ readonly reason?: string }>;
}

/** Undefined where the frame is not a control message. */
export function controlOf(frame: WireFrame): SeenControl | undefined {
  return frame.kind === "text"
    ? (JSON.parse(payloadOf(frame).toString("utf8")) as SeenControl)
    : undefined;
}

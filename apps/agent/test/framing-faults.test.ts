import { LIMITS } from "@sluice/protocol";
import { describe, expect, it } from "vitest";

import { MemoryReader } from "./memory-reader.ts";
import { type PumpKind, recordsOf, type SentRecord, Wire } from "./wire.ts";

const ENDED = { kind: "ended", reason: "rotated" } as const;
const KINDS: readonly PumpKind[] = ["in place", "record by record"];

function sent(wire: Wire): SentRecord[] {
  return wire.frames.flatMap(recordsOf);
}

/** What arrives of a finished file. */
async function ship(
  kind: PumpKind,
  content: Uint8Array | string,
  nextReadBytes?: () => number,
): Promise<SentRecord[]> {
  const wire = new Wire(1);
  const reader = new MemoryReader(content, nextReadBytes);
  reader.end(ENDED);
  await wire.pump(reader, 0, kind).run(new AbortController().signal);
  await wire.until(() => wire.frames.at(-1)?.kind === "advance");
  expect(wire.errors).toEqual([]);
  return sent(wire);
}

function bodies(records: readonly SentRecord[]): string[] {
  return records.map(({ body }) => body);
}

describe.each(KINDS)("a line, %s", (kind) => {
  it("of which half is written is no record until the rest is, however long that takes", async () => {
    const wire = new Wire(1);
    const reader = new MemoryReader("one\nha");
    const abort = new AbortController();
    const running = wire.pump(reader, 0, kind).run(abort.signal);
    await wire.until(() => sent(wire).length === 1);
    await reader.caughtUp();
    reader.append("l");
    await reader.caughtUp();
    expect(bodies(sent(wire))).toEqual(["one"]);
    reader.append("f\n");
    await wire.until(() => sent(wire).length === 2);
    expect(bodies(sent(wire))).toEqual(["one", "half"]);
    abort.abort();
    await expect(running).rejects.toThrow();
  });

  it("without an end is a record once its file is rotated", async () => {
    const wire = new Wire(1);
    const reader = new MemoryReader("one\nlast");
    const running = wire.pump(reader, 0, kind).run(new AbortController().signal);
    await wire.until(() => sent(wire).length === 1);
    reader.end(ENDED);
    await running;
    await wire.until(() => wire.frames.at(-1)?.kind === "advance");
    expect(bodies(sent(wire))).toEqual(["one", "last"]);
  });

  it("may hold any of the 256 byte values, valid UTF-8 or not", async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
    expect(bodies(await ship(kind, bytes, () => 7)).join("\n")).toBe(bytes.toString("latin1"));
  });

  it("that ends in CR LF keeps its CR, wherever a read ends", async () => {
    const text = "one\r\ntwo\r\n\r\nthree\r";
    for (let at = 1; at < text.length; at += 1) {
      let isFirst = true;
      const sizes = (): number => {
        const size = isFirst ? at : text.length;
        isFirst = false;
        return size;
      };
      expect(bodies(await ship(kind, text, sizes))).toEqual(["one\r", "two\r", "\r", "three\r"]);
    }
  });

  it("of 100 MB is cut, says how long it was, and the next one arrives", async () => {
    const lineBytes = 100_000_000;
    const content = Buffer.alloc(lineBytes + 6, "x");
    content.write("\nnext\n", lineBytes);
    const records = await ship(kind, content);
    expect(records.map(({ body }) => body.length)).toEqual([LIMITS.recordBytes, 4]);
    expect(records[0]?.originalBytes).toBe(String(lineBytes));
    expect(records[1]?.body).toBe("next");
  });
});

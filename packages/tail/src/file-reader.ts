import type { Result } from "@sluice/quantity";
import { ArchiveReader } from "./archive/archive-reader.ts";
import { inflatedHead } from "./archive/inflater.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { LossReason } from "./event.ts";
import type { FileReaderPorts } from "./file-reader-ports.ts";
import type { Ending, Generation } from "./generation.ts";
import { GrowthWait } from "./growth-wait.ts";
import { HoldBack } from "./hold-back.ts";
import { LOST_ANCHOR, positionAt, UNKNOWN_ANCHOR } from "./identity.ts";
import type { OpenFile } from "./open-file.ts";
import { PlainReader } from "./plain-reader.ts";
import { ReadPlace } from "./read-place.ts";
import { reposition } from "./reposition.ts";
import type { CursorInvalid, CursorLost, ReadOutcome, StreamKey, StreamReader } from "./source.ts";

const IDLE: ReadOutcome = { kind: "idle" };

/** Reads one generation, from its file or from an archive of it, to its end or to where it is lost. */
export class FileReader implements StreamReader {
  readonly kind = "bytes";
  readonly stream: StreamKey;
  readonly #generation: Generation;
  readonly #ports: FileReaderPorts;
  readonly #place: ReadPlace;
  readonly #plain: PlainReader;
  #archive: ArchiveReader | undefined;
  #floor: number;
  readonly #heldBack: HoldBack;
  #reportedGap = false;
  #disposed = false;

  constructor(generation: Generation, ports: FileReaderPorts) {
    const { source, generation: number, acked } = generation;
    this.stream = { source, generation: number };
    this.#generation = generation;
    this.#ports = ports;
    generation.moveTo(acked);
    this.#place = new ReadPlace(generation, ports);
    this.#plain = new PlainReader(generation, this.#place, ports);
    this.#floor = acked.offset;
    this.#heldBack = new HoldBack(ports.clock);
  }

  get offset(): number {
    return this.#place.offset;
  }

  get behindBytes(): number {
    const { ending, sizeBytes, file } = this.#generation;
    const end =
      ending === undefined ? Math.max(sizeBytes, this.#place.waitingBytes) : (ending.endByte ?? 0);
    // The file of an archive that the generation has left is closed.
    const aheadBytes = this.#archive?.file === file ? (this.#archive?.aheadBytes ?? 0) : 0;
    return Math.max(0, end - this.offset, aheadBytes);
  }

  async head(length: number): Promise<Uint8Array> {
    this.#assertUsable();
    const { format } = this.#generation;
    const file = this.#ports.registry.fileOf(this.#generation);
    if (file === undefined) return new Uint8Array();
    return format === undefined ? file.bytesAt(0, length) : inflatedHead(file, format, length);
  }

  async seek(cursor: Uint8Array): Promise<Result<void, CursorLost | CursorInvalid>> {
    this.#assertUsable();
    const decoded = decodeCursor(cursor);
    if (!decoded.ok) return decoded;
    const moved = reposition(this.#ports.registry, this.#generation, decoded.value);
    if (!moved.ok) {
      this.#ports.hint();
      return moved;
    }
    this.#place.moveTo(decoded.value.position.offset);
    this.#floor = this.offset;
    this.#heldBack.end();
    return moved;
  }

  async read(target: Uint8Array, at: number, signal: AbortSignal): Promise<ReadOutcome> {
    this.#assertUsable();
    if (!Number.isInteger(at) || at < 0 || at >= target.length) {
      throw new RangeError(`index ${at} is not within a target of ${target.length} bytes`);
    }
    const { held } = this.#ports.registry;
    await held.enter();
    try {
      return await this.#readNext(target, at, signal);
    } finally {
      held.leave();
    }
  }

  async #readNext(target: Uint8Array, at: number, signal: AbortSignal): Promise<ReadOutcome> {
    for (;;) {
      signal.throwIfAborted();
      const { ending, isParked } = this.#generation;
      if (ending !== undefined) return this.#ended(ending);
      if (isParked && this.#place.isAsIdle(this.#generation)) return IDLE;
      const file = this.#ports.registry.fileOf(this.#generation);
      if (file === undefined) {
        this.#heldBack.begin(this.#ports.timing.pollMs);
        return IDLE;
      }
      const room = target.subarray(at);
      const outcome = await (this.#generation.format === undefined
        ? this.#readPlain(file, room)
        : this.#readArchive(file, room));
      if (outcome !== undefined) return outcome;
    }
  }

  async changed(signal: AbortSignal): Promise<void> {
    this.#assertUsable();
    signal.throwIfAborted();
    const { beat, timing, watches } = this.#ports;
    const generation = this.#generation;
    if (this.#hasNews()) return;
    using growth = new GrowthWait(signal, watches);
    generation.wake = growth.wake;
    try {
      do {
        const { isActive, settlesInMs } = this.#place;
        // A busy file is polled: a notice for every write would cost more than it brings.
        const path = isActive ? undefined : generation.file?.descriptorPath;
        if (path !== undefined && growth.watch(path)) continue;
        // The scans look after what was closed to save its descriptor.
        const idlePollMs = generation.isParked ? timing.idlePollMs * 60 : timing.idlePollMs;
        const dueMs = Math.min(Math.max(1, settlesInMs), this.#heldBack.leftMs);
        await (isActive ? growth.wait(dueMs, beat) : growth.wait(Math.min(idlePollMs, dueMs)));
      } while (!this.#hasNews());
    } finally {
      generation.wake = undefined;
    }
  }

  cursorAt(offset: number): Uint8Array {
    if (!Number.isSafeInteger(offset) || offset < this.#floor || offset > this.offset) {
      throw new RangeError(`offset ${offset} is not within ${this.#floor}..${this.offset}`);
    }
    const generation = this.#generation;
    if (offset === generation.position.offset) return encodeCursor(generation);
    if (generation.format !== undefined) {
      const position = this.#archive?.positionAt(offset) ?? { offset, anchor: UNKNOWN_ANCHOR };
      return encodeCursor({ identity: generation.identity, position });
    }
    for (;;) {
      const { identity, position: tip } = generation;
      const file = this.#ports.registry.fileOf(generation);
      if (file === undefined) break;
      const position = positionAt(file, offset);
      // Bytes read before the newest anchor was seen unharmed are those that were handed out.
      if (position !== undefined && positionAt(file, tip.offset)?.anchor === tip.anchor) {
        return encodeCursor({ identity, position });
      }
      this.#plain.diverge("regrown");
    }
    return encodeCursor({
      identity: generation.identity,
      position: { offset, anchor: LOST_ANCHOR },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#archive?.close();
    this.#ports.released();
  }

  /** Undefined: the file is not the right one any more; look again at what the generation says. */
  async #readPlain(file: OpenFile, target: Uint8Array): Promise<ReadOutcome | undefined> {
    const outcome = await this.#plain.read(file, target);
    if (outcome !== "end") return outcome;
    return this.#cutShort() ?? { kind: "ended", reason: isDeleted(file) ? "deleted" : "rotated" };
  }

  /** Undefined as above. */
  async #readArchive(file: OpenFile, target: Uint8Array): Promise<ReadOutcome | undefined> {
    const generation = this.#generation;
    if (this.#archive?.file !== file) {
      this.#archive?.close();
      this.#archive = new ArchiveReader(generation, file, this.#ports.clock);
    }
    const { offset } = this;
    const outcome = await this.#archive.read(generation.position, target);
    if (generation.file !== file || this.offset !== offset) return undefined;
    switch (outcome) {
      case "end":
        return this.#cutShort() ?? { kind: "ended", reason: "rotated" };
      case "unfinished":
        return IDLE;
      case "elsewhere":
        this.#ports.registry.end(generation, "cursor-lost");
        return undefined;
      case "corrupt":
        this.#ports.registry.end(generation, "corrupt");
        return undefined;
      default: {
        const { position, length } = outcome;
        this.#place.advanceTo(position);
        return { kind: "bytes", offset, length };
      }
    }
  }

  /** At the end of a copy: what had been seen of its file behind that was cut away with it. */
  #cutShort(): ReadOutcome | undefined {
    const knownBytes = this.#generation.seenBytes - this.offset;
    return knownBytes > 0 ? this.#lost("truncated", knownBytes) : undefined;
  }

  #ended({ cause, endByte }: Ending): ReadOutcome {
    const knownBytes = endByte === undefined ? undefined : endByte - this.offset;
    if (knownBytes !== undefined && knownBytes <= 0) {
      return { kind: "ended", reason: cause === "truncated" ? "truncated" : "deleted" };
    }
    return this.#lost(cause, knownBytes);
  }

  #lost(reason: LossReason, knownBytes: number | undefined): ReadOutcome {
    const fromByte = this.offset;
    if (!this.#reportedGap) {
      this.#reportedGap = true;
      this.#ports.emit({ kind: "gap", ...this.stream, cause: reason, fromByte, knownBytes });
    }
    return { kind: "lost", reason, fromByte, knownBytes };
  }

  #hasNews(): boolean {
    const { ending, file, isParked } = this.#generation;
    if (ending !== undefined) return true;
    if (!this.#heldBack.isOver) return false;
    if (file === undefined) return isParked && !this.#place.isAsIdle(this.#generation);
    const archive = this.#archive;
    if (this.#generation.format !== undefined) return archive?.file !== file || archive.hasNews();
    return this.#plain.hasNews(file);
  }

  #assertUsable(): void {
    if (this.#disposed) throw new Error(`the reader of ${this.stream.source} is disposed`);
  }
}

function isDeleted(file: OpenFile): boolean {
  return file.stat().links === 0;
}

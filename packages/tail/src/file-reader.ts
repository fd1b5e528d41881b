import type { Result } from "@sluice/quantity";
import { ArchiveReader } from "./archive/archive-reader.ts";
import { wasCutUnseen } from "./copy.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { TruncatedReason } from "./event.ts";
import type { FileReaderPorts } from "./file-reader-ports.ts";
import { ANCHOR_BYTES, anchorBehind, fingerprint, HEAD_BYTES } from "./fingerprint.ts";
import type { Ending, Generation } from "./generation.ts";
import { anchorAt, grownHead, LOST_ANCHOR, positionAt, UNKNOWN_ANCHOR } from "./identity.ts";
import { HoldBack } from "./hold-back.ts";
import { beginsHole, findNulRun, HOLE_BYTES, nulRunEnd } from "./nul-run.ts";
import type { NulRun } from "./nul-run.ts";
import type { FileStat, OpenFile } from "./open-file.ts";
import { reposition } from "./reposition.ts";
import type { CursorInvalid, CursorLost, ReadOutcome, StreamKey, StreamReader } from "./source.ts";
import { inflatedHead } from "./archive/inflater.ts";
import { GrowthWait } from "./growth-wait.ts";

const IDLE: ReadOutcome = { kind: "idle" };

/**
 * Reads one generation. With each read the up to 256 bytes before the offset are read once more, in
 * the same system call, and compared with those that were handed out: a file that was cut and has
 * grown again is noticed before a single byte of it is taken for a continuation.
 */
export class FileReader implements StreamReader {
  readonly kind = "bytes";
  readonly stream: StreamKey;
  readonly #generation: Generation;
  readonly #ports: FileReaderPorts;
  readonly #scratch = new Uint8Array(ANCHOR_BYTES);
  /** The bytes before the offset; undefined where they must be fetched and verified first. */
  #anchor: Uint8Array | undefined;
  #archive: ArchiveReader | undefined;
  #offset: number;
  #floor: number;
  /** The file's size at the last look, which did not look at what is in it: it may have been cut. */
  #waitingBytes = 0;
  /** How the file was when nothing was left to read; a change asks for another look. */
  #idleAt: Pick<FileStat, "sizeBytes" | "mtimeNs"> | undefined;
  /** The file ends in NUL bytes that begin there or before; its size then. */
  #nulTail: { readonly from: number; readonly sizeBytes: number } | undefined;
  #quietSinceMs: number;
  readonly #heldBack: HoldBack;
  #reportedGap = false;
  #disposed = false;

  constructor(generation: Generation, ports: FileReaderPorts) {
    const { source, generation: number, acked } = generation;
    this.stream = { source, generation: number };
    this.#generation = generation;
    this.#ports = ports;
    generation.moveTo(acked);
    this.#offset = acked.offset;
    this.#floor = acked.offset;
    this.#quietSinceMs = ports.clock.monotonicMs();
    this.#heldBack = new HoldBack(ports.clock);
  }

  get offset(): number {
    return this.#offset;
  }

  get behindBytes(): number {
    const { ending, sizeBytes, file } = this.#generation;
    const end =
      ending === undefined ? Math.max(sizeBytes, this.#waitingBytes) : (ending.endByte ?? 0);
    // The file of an archive that the generation has left is closed.
    const aheadBytes = this.#archive?.file === file ? (this.#archive?.aheadBytes ?? 0) : 0;
    return Math.max(0, end - this.#offset, aheadBytes);
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
    this.#offset = decoded.value.position.offset;
    this.#floor = this.#offset;
    this.#anchor = undefined;
    this.#idleAt = undefined;
    this.#heldBack.end();
    this.#quietSinceMs = this.#ports.clock.monotonicMs();
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
      if (isParked && this.#isAsIdle(this.#generation)) return IDLE;
      const file = this.#ports.registry.fileOf(this.#generation);
      if (file === undefined) {
        this.#heldBack.begin(this.#ports.timing.pollMs);
        return IDLE;
      }
      const room = target.subarray(at);
      const outcome = await (this.#generation.format === undefined
        ? this.#readFrom(file, room)
        : this.#readArchive(file, room));
      if (outcome !== undefined) return outcome;
    }
  }

  async changed(signal: AbortSignal): Promise<void> {
    this.#assertUsable();
    signal.throwIfAborted();
    const { beat, clock, timing, watches } = this.#ports;
    const generation = this.#generation;
    if (this.#hasNews()) return;
    using growth = new GrowthWait(signal, watches);
    generation.wake = growth.wake;
    try {
      do {
        const isActive = clock.monotonicMs() - this.#quietSinceMs < timing.activeMs;
        // A busy file is polled: a notice for every write would cost more than it brings.
        const path = isActive ? undefined : generation.file?.descriptorPath;
        if (path !== undefined && growth.watch(path)) continue;
        // The scans look after what was closed to save its descriptor.
        const idlePollMs = generation.isParked ? timing.idlePollMs * 60 : timing.idlePollMs;
        const dueMs = Math.min(Math.max(1, this.#settlesInMs()), this.#heldBack.leftMs);
        await (isActive ? growth.wait(dueMs, beat) : growth.wait(Math.min(idlePollMs, dueMs)));
      } while (!this.#hasNews());
    } finally {
      generation.wake = undefined;
    }
  }

  cursorAt(offset: number): Uint8Array {
    if (!Number.isSafeInteger(offset) || offset < this.#floor || offset > this.#offset) {
      throw new RangeError(`offset ${offset} is not within ${this.#floor}..${this.#offset}`);
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
      this.#diverge("regrown");
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
  async #readFrom(file: OpenFile, target: Uint8Array): Promise<ReadOutcome | undefined> {
    const stat = file.stat();
    if (stat.sizeBytes < this.#offset) return this.#diverge("shrunk");
    const hasRested = this.#idleAt !== undefined;
    const isSettled = this.#settlesInMs() <= 0;
    if (this.#isAsIdle(stat) && !(isSettled && stat.sizeBytes > this.#offset)) {
      return this.#atEnd(file);
    }
    const generation = this.#generation;
    const needsHead = generation.identity.head.length < Math.min(HEAD_BYTES, stat.sizeBytes);
    if (hasRested || needsHead || this.#anchor === undefined) {
      if (this.#awaitsSearch()) return IDLE;
      const head = grownHead(file, generation.identity.head);
      if (head === undefined || wasCutUnseen(this.#ports.registry, generation, file)) {
        return this.#diverge("regrown");
      }
      generation.identity = { ...generation.identity, bornNs: stat.bornNs, head };
    }
    // After a seek or a move to a copy only the anchor's fingerprint is known.
    const anchor = this.#anchor ?? anchorAt(file, generation.position);
    if (anchor === undefined) return this.#diverge("regrown");
    this.#anchor = anchor;
    const before = this.#scratch.subarray(0, anchor.length);
    const from = this.#offset - anchor.length;
    const got = await file.readInto([before, target], from, stat.sizeBytes);
    // A scan or a seek may have moved the generation meanwhile.
    if (generation.file !== file) return undefined;
    if (got < anchor.length) return this.#diverge("shrunk");
    if (Buffer.compare(before, anchor) !== 0) return this.#diverge("regrown");
    const length = got - anchor.length;
    generation.sizeBytes = Math.max(stat.sizeBytes, this.#offset + length);
    if (length === 0) {
      this.#idleAt = stat;
      return this.#atEnd(file);
    }
    const bytes = target.subarray(0, length);
    const run = findNulRun(bytes);
    if (run !== undefined) return this.#passNuls(file, stat, anchor, bytes, run);
    const outcome = this.#advance(anchor, bytes);
    // Read to the end that it had: unless it is written to again, there is nothing more to look for.
    if (this.#offset === stat.sizeBytes) this.#idleAt = stat;
    return outcome;
  }

  /**
   * A stale writer leaves NUL bytes behind a cut, and writes on behind them. At the end of a file
   * they may be space that its writer has reserved: they are left alone until something follows.
   */
  async #passNuls(
    file: OpenFile,
    stat: FileStat,
    anchor: Uint8Array,
    bytes: Uint8Array,
    run: NulRun,
  ): Promise<ReadOutcome | undefined> {
    const isLong = run.end - run.start >= HOLE_BYTES;
    const isLast = run.end === bytes.length && this.#offset + run.end >= stat.sizeBytes;
    if (run.start > 0) {
      const isSplit =
        isLong ||
        (isLast && run.end - run.start > 1) ||
        (run.end === bytes.length && beginsHole(file, this.#offset + run.start));
      return this.#advance(anchor, isSplit ? bytes.subarray(0, run.start) : bytes);
    }
    const isSettled = this.#settlesInMs() <= 0;
    const tail = this.#nulTail;
    const isKnown =
      tail !== undefined && tail.from <= this.#offset && tail.sizeBytes === stat.sizeBytes;
    const end = isKnown && isLong ? stat.sizeBytes : await nulRunEnd(file, this.#offset);
    if (this.#generation.file !== file) return undefined;
    if (end >= stat.sizeBytes && end - this.#offset > 1 && !isSettled) {
      this.#nulTail = { from: this.#offset, sizeBytes: stat.sizeBytes };
      this.#idleAt = stat;
      return IDLE;
    }
    if (end - this.#offset < HOLE_BYTES) return this.#advance(anchor, bytes);
    const offset = this.#offset;
    this.#advance(anchor, new Uint8Array(ANCHOR_BYTES));
    this.#offset = end;
    this.#generation.advanceTo({ offset: end, anchor: this.#generation.position.anchor });
    return { kind: "hole", offset, length: end - offset };
  }

  #isAsIdle(stat: Pick<FileStat, "sizeBytes" | "mtimeNs">): boolean {
    return stat.sizeBytes === this.#idleAt?.sizeBytes && stat.mtimeNs === this.#idleAt.mtimeNs;
  }

  /** Undefined as above. */
  async #readArchive(file: OpenFile, target: Uint8Array): Promise<ReadOutcome | undefined> {
    const generation = this.#generation;
    if (this.#archive?.file !== file) {
      this.#archive?.close();
      this.#archive = new ArchiveReader(generation, file, this.#ports.clock);
    }
    const offset = this.#offset;
    const outcome = await this.#archive.read(generation.position, target);
    if (generation.file !== file || this.#offset !== offset) return undefined;
    switch (outcome) {
      case "end":
        return { kind: "ended", reason: "rotated" };
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
        this.#offset = position.offset;
        generation.advanceTo(position);
        this.#quietSinceMs = this.#ports.clock.monotonicMs();
        return { kind: "bytes", offset, length };
      }
    }
  }

  #advance(anchor: Uint8Array, bytes: Uint8Array): ReadOutcome {
    const offset = this.#offset;
    this.#offset += bytes.length;
    this.#anchor = anchorBehind(anchor, bytes);
    this.#generation.advanceTo({ offset: this.#offset, anchor: fingerprint(this.#anchor) });
    this.#ports.registry.held.touch(this.#generation);
    this.#idleAt = undefined;
    this.#quietSinceMs = this.#ports.clock.monotonicMs();
    return { kind: "bytes", offset, length: bytes.length };
  }

  /** Whether the file may have been copied, compressed and cut: a scan finds out. */
  #awaitsSearch(): boolean {
    const isAwaited = this.#ports.registry.notes.awaitsSearch(this.#generation);
    if (isAwaited) this.#ports.hint();
    return isAwaited;
  }

  #atEnd(file: OpenFile): ReadOutcome {
    if (this.#settlesInMs() > 0) return IDLE;
    return { kind: "ended", reason: file.stat().links === 0 ? "deleted" : "rotated" };
  }

  /** Until a file that was renamed away counts as finished; Infinity for one in its place. */
  #settlesInMs(): number {
    const { rotatedAtMs } = this.#generation;
    if (rotatedAtMs === undefined) return Infinity;
    const { clock, timing } = this.#ports;
    return Math.max(rotatedAtMs, this.#quietSinceMs) + timing.settleMs - clock.monotonicMs();
  }

  #ended({ cause, endByte }: Ending): ReadOutcome {
    const knownBytes = endByte === undefined ? undefined : endByte - this.#offset;
    if (knownBytes !== undefined && knownBytes <= 0) {
      return { kind: "ended", reason: cause === "truncated" ? "truncated" : "deleted" };
    }
    const fromByte = this.#offset;
    if (!this.#reportedGap) {
      this.#reportedGap = true;
      this.#ports.emit({ kind: "gap", ...this.stream, cause, fromByte, knownBytes });
    }
    return { kind: "lost", reason: cause, fromByte, knownBytes };
  }

  #diverge(reason: TruncatedReason): undefined {
    this.#ports.registry.diverge(this.#generation, reason);
    this.#anchor = undefined;
    this.#idleAt = undefined;
    this.#waitingBytes = 0;
    this.#ports.hint();
    return undefined;
  }

  #hasNews(): boolean {
    const { ending, file, isParked } = this.#generation;
    if (ending !== undefined) return true;
    if (!this.#heldBack.isOver) return false;
    if (file === undefined) return isParked && !this.#isAsIdle(this.#generation);
    const archive = this.#archive;
    if (this.#generation.format !== undefined) return archive?.file !== file || archive.hasNews();
    const stat = file.stat();
    this.#waitingBytes = stat.sizeBytes;
    // Without a read since the position was verified: only bytes behind it are something to say.
    if (this.#idleAt === undefined ? stat.sizeBytes !== this.#offset : !this.#isAsIdle(stat)) {
      return !this.#awaitsSearch();
    }
    return this.#settlesInMs() <= 0;
  }

  #assertUsable(): void {
    if (this.#disposed) throw new Error(`the reader of ${this.stream.source} is disposed`);
  }
}

import { wasCutUnseen } from "./copy.ts";
import { diverge } from "./divergence.ts";
import type { TruncatedReason } from "./event.ts";
import type { FileReaderPorts } from "./file-reader-ports.ts";
import { ANCHOR_BYTES, anchorBehind, fingerprint, HEAD_BYTES } from "./fingerprint.ts";
import type { Generation } from "./generation.ts";
import { anchorAt, grownHead } from "./identity.ts";
import { beginsHole, findNulRun, HOLE_BYTES, nulRunEnd } from "./nul-run.ts";
import type { NulRun } from "./nul-run.ts";
import type { FileStat, OpenFile } from "./open-file.ts";
import type { ReadPlace } from "./read-place.ts";
import type { ReadOutcome } from "./source.ts";

export type PlainOutcome =
  | Extract<ReadOutcome, { kind: "bytes" | "hole" | "idle" }>
  | "end"
  /** The file is not the right one any more; look again at what the generation says. */
  | undefined;

const IDLE: ReadOutcome & { kind: "idle" } = { kind: "idle" };

/**
 * Reads a file that is not compressed. With each read the up to 256 bytes before the offset are read
 * once more, in the same system call, and compared with those that were handed out: a file that was
 * cut and has grown again is noticed before a single byte of it is taken for a continuation.
 */
export class PlainReader {
  readonly #generation: Generation;
  readonly #place: ReadPlace;
  readonly #ports: FileReaderPorts;
  readonly #scratch = new Uint8Array(ANCHOR_BYTES);
  /** The file ends in NUL bytes that begin there or before; its size then. */
  #nulTail: { readonly from: number; readonly sizeBytes: number } | undefined;

  constructor(generation: Generation, place: ReadPlace, ports: FileReaderPorts) {
    this.#generation = generation;
    this.#place = place;
    this.#ports = ports;
  }

  async read(file: OpenFile, target: Uint8Array): Promise<PlainOutcome> {
    const place = this.#place;
    const stat = file.stat();
    if (stat.sizeBytes < place.offset) return this.diverge("shrunk");
    const hasRested = place.hasRested;
    if (place.isAsIdle(stat) && !(place.isSettled && stat.sizeBytes > place.offset)) {
      return this.#atEnd();
    }
    const generation = this.#generation;
    const needsHead = generation.identity.head.length < Math.min(HEAD_BYTES, stat.sizeBytes);
    if (hasRested || needsHead || place.anchor === undefined) {
      if (this.#awaitsSearch()) return IDLE;
      const head = grownHead(file, generation.identity.head);
      if (head === undefined || wasCutUnseen(this.#ports.registry, generation, file)) {
        return this.diverge("regrown");
      }
      generation.identity = { ...generation.identity, bornNs: stat.bornNs, head };
    }
    // After a seek or a move to a copy only the anchor's fingerprint is known.
    const anchor = place.anchor ?? anchorAt(file, generation.position);
    if (anchor === undefined) return this.diverge("regrown");
    place.anchor = anchor;
    const before = this.#scratch.subarray(0, anchor.length);
    const from = place.offset - anchor.length;
    const got = await file.readInto([before, target], from, stat.sizeBytes);
    // A scan or a seek may have moved the generation meanwhile.
    if (generation.file !== file) return undefined;
    if (got < anchor.length) return this.diverge("shrunk");
    if (Buffer.compare(before, anchor) !== 0) return this.diverge("regrown");
    const length = got - anchor.length;
    generation.sizeBytes = Math.max(stat.sizeBytes, place.offset + length);
    if (length === 0) {
      place.rest(stat);
      return this.#atEnd();
    }
    const bytes = target.subarray(0, length);
    const run = findNulRun(bytes);
    if (run !== undefined) return this.#passNuls(file, stat, anchor, bytes, run);
    const outcome = this.#advance(anchor, bytes);
    // Read to the end that it had: unless it is written to again, there is nothing more to look for.
    if (place.offset === stat.sizeBytes) place.rest(stat);
    return outcome;
  }

  /** Whether `read` has something else to say than `idle`. */
  hasNews(file: OpenFile): boolean {
    const place = this.#place;
    const stat = file.stat();
    place.waitingBytes = stat.sizeBytes;
    // Without a read since the position was verified: only bytes behind it are something to say.
    const hasChanged = place.hasRested ? !place.isAsIdle(stat) : stat.sizeBytes !== place.offset;
    return hasChanged ? !this.#awaitsSearch() : place.isSettled;
  }

  /** The file is not the one that was read. */
  diverge(reason: TruncatedReason): undefined {
    diverge(this.#ports.registry, this.#generation, reason);
    this.#place.doubt();
    this.#ports.hint();
    return undefined;
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
  ): Promise<PlainOutcome> {
    const place = this.#place;
    const { offset } = place;
    const isLong = run.end - run.start >= HOLE_BYTES;
    const isLast = run.end === bytes.length && offset + run.end >= stat.sizeBytes;
    if (run.start > 0) {
      const isSplit =
        isLong ||
        (isLast && run.end - run.start > 1) ||
        (run.end === bytes.length && beginsHole(file, offset + run.start));
      return this.#advance(anchor, isSplit ? bytes.subarray(0, run.start) : bytes);
    }
    const isSettled = place.isSettled;
    const tail = this.#nulTail;
    const isKnown = tail !== undefined && tail.from <= offset && tail.sizeBytes === stat.sizeBytes;
    const end = isKnown && isLong ? stat.sizeBytes : await nulRunEnd(file, offset);
    if (this.#generation.file !== file) return undefined;
    if (end >= stat.sizeBytes && end - offset > 1 && !isSettled) {
      this.#nulTail = { from: offset, sizeBytes: stat.sizeBytes };
      place.rest(stat);
      return IDLE;
    }
    if (end - offset < HOLE_BYTES) return this.#advance(anchor, bytes);
    this.#advance(anchor, new Uint8Array(ANCHOR_BYTES));
    place.advanceTo({ offset: end, anchor: this.#generation.position.anchor });
    return { kind: "hole", offset, length: end - offset };
  }

  #advance(anchor: Uint8Array, bytes: Uint8Array): PlainOutcome {
    const place = this.#place;
    const { offset } = place;
    place.anchor = anchorBehind(anchor, bytes);
    place.advanceTo({ offset: offset + bytes.length, anchor: fingerprint(place.anchor) });
    place.wake();
    this.#ports.registry.held.touch(this.#generation);
    return { kind: "bytes", offset, length: bytes.length };
  }

  #atEnd(): PlainOutcome {
    return this.#place.isSettled ? "end" : IDLE;
  }

  /** Whether the file may have been copied, compressed and cut: a scan finds out. */
  #awaitsSearch(): boolean {
    const isAwaited = this.#ports.registry.notes.awaitsSearch(this.#generation);
    if (isAwaited) this.#ports.hint();
    return isAwaited;
  }
}

import { ArchiveNotes } from "./archive/archive-notes.ts";
import type { FileCursor } from "./cursor.ts";
import type { Disk } from "./disk.ts";
import type { LossReason, TailEvent } from "./event.ts";
import { Generation } from "./generation.ts";
import type { HeldFiles } from "./held-files.ts";
import { inodeKey, isSameObject } from "./identity.ts";
import type { FileIdentity, FilePosition } from "./identity.ts";
import type { FileStat, OpenFile } from "./open-file.ts";
import type { StreamChange, StreamKey } from "./source.ts";
import type { SourceRecord, SourceState } from "./source-state.ts";

/**
 * A file that was closed to save its descriptor and was written to this shortly before the last look
 * may have been written to once more before it was deleted.
 */
const BUSY_MS = 60_000;

/** Paths without a file that are remembered, the latest ones: some sixty thousand bytes of state. */
const MOST_EMPTY_PATHS = 1_024;

export interface RegistryPorts {
  readonly disk: Disk;
  readonly held: HeldFiles;
  readonly emit: (event: TailEvent) => void;
  readonly changed: (change: StreamChange) => void;
}

/**
 * The generations of one file source, and what happens to each. Every inode answers to at most one
 * generation that has not ended. All of it is synchronous: no reader sees a half-made change.
 */
export class Registry {
  readonly sources: Map<string, SourceRecord>;
  readonly disk: Disk;
  /** The number of the first generation at a path that was not seen, or was forgotten. */
  firstNumber: number;
  /** When the scan before this one began, ms since the epoch; undefined at the first one ever. */
  scannedAtMs: number | undefined;
  readonly held: HeldFiles;
  readonly notes: ArchiveNotes;
  readonly #byInode = new Map<string, Generation>();
  readonly #ports: RegistryPorts;

  constructor(state: Partial<SourceState>, ports: RegistryPorts) {
    this.sources = new Map(state.sources);
    this.#ports = ports;
    this.disk = ports.disk;
    this.held = ports.held;
    this.notes = new ArchiveNotes(this);
    this.firstNumber = state.firstNumber ?? 1;
    this.scannedAtMs = state.scannedAtMs;
    for (const generation of this.known()) {
      if (generation.ending === undefined) this.#indexYoungest(generation);
    }
  }

  /** A state may know a file that is gone by now, and the one that has got its inode number since. */
  #indexYoungest(generation: Generation): void {
    const other = this.#byInode.get(inodeKey(generation.identity));
    const youngerByNs = (other?.identity.bornNs ?? 0n) - generation.identity.bornNs;
    // Where the file system knows no birth, what is finished is more likely to be gone.
    const isOther = youngerByNs === 0n ? other?.phase === "open" : youngerByNs > 0n;
    if (!isOther) this.index(generation);
  }

  emit(event: TailEvent): void {
    this.#ports.emit(event);
  }

  known(): Generation[] {
    return [...this.sources.values()].flatMap((source) => [...source.generations.values()]);
  }

  generation(key: StreamKey): Generation | undefined {
    return this.sources.get(key.source)?.generations.get(key.generation);
  }

  owner(stat: FileStat): Generation | undefined {
    return this.#byInode.get(inodeKey(stat));
  }

  /** The same for a file whose inode number was not another one's before. */
  ownerOfObject(stat: FileStat): Generation | undefined {
    const owner = this.owner(stat);
    return owner !== undefined && isSameObject(owner.identity, stat) ? owner : undefined;
  }

  record(path: string): SourceRecord {
    const known = this.sources.get(path);
    if (known !== undefined) return known;
    const record: SourceRecord = {
      path,
      next: this.firstNumber,
      generations: new Map(),
      restored: false,
    };
    this.sources.set(path, record);
    return record;
  }

  /** The file is the generation's, and stays open while there is room. */
  hold(generation: Generation, file: OpenFile): void {
    generation.file = file;
    generation.isParked = false;
    this.held.touch(generation);
  }

  /** The file of a generation, opened again where it was closed to save its descriptor. */
  fileOf(generation: Generation): OpenFile | undefined {
    const { file, path, identity, isParked } = generation;
    if (file !== undefined || !isParked || path === undefined) return file;
    const opened = this.disk.open(path, identity);
    if (opened === undefined) {
      const found = this.reopen(generation);
      return found === "out-of-reach" ? undefined : found;
    }
    this.hold(generation, opened);
    return opened;
  }

  add(generation: Generation): void {
    this.record(generation.source).generations.set(generation.generation, generation);
    this.index(generation);
  }

  /** Nothing more can be read of it. Its number stays until the consumer finishes the stream. */
  end(generation: Generation, cause: LossReason): void {
    this.unindex(generation);
    const { sizeBytes, seenBytes, position, wasSeen, format } = generation;
    // Seen by an earlier run only, or compressed: it may have grown since, and nobody knows how far.
    const mayHaveGrown = cause === "deleted" && this.#wasBusy(generation);
    const isKnown = wasSeen && format === undefined && cause !== "cursor-lost" && !mayHaveGrown;
    generation.orphanhood = undefined;
    generation.ending = {
      cause,
      endByte: isKnown ? Math.max(sizeBytes, seenBytes, position.offset) : undefined,
    };
    generation.closeFile();
    generation.wake?.();
  }

  #wasBusy({ isParked, mtimeNs }: Generation): boolean {
    return isParked && Number(mtimeNs / 1_000_000n) >= (this.scannedAtMs ?? 0) - BUSY_MS;
  }

  forget(generation: Generation): void {
    this.unindex(generation);
    generation.closeFile();
    const { source } = generation;
    const record = this.sources.get(source);
    record?.generations.delete(generation.generation);
    if (record?.generations.size !== 0) return;
    // The one that has lost its file last comes last.
    this.sources.delete(source);
    this.sources.set(source, record);
  }

  /**
   * Forgets paths that have had no file for longest. Their numbers must not come again: the next
   * file there, or at any other path, begins above all of them.
   */
  forgetPaths(): void {
    const empty = [...this.sources.values()].filter(({ generations }) => generations.size === 0);
    for (const { path, next } of empty.slice(0, -MOST_EMPTY_PATHS)) {
      this.sources.delete(path);
      this.notes.forget(path);
      this.firstNumber = Math.max(this.firstNumber, next);
    }
  }

  /** It is to be read from now on. */
  appeared(generation: Generation): void {
    this.#ports.changed({ kind: "appeared", stream: generation.toStream() });
  }

  finish(generation: Generation): void {
    if (generation.ending !== undefined) {
      this.forget(generation);
    } else {
      generation.phase = "finished";
      generation.orphanhood = undefined;
      // Who learned that its end is stored has not read it once more.
      const { position, acked } = generation;
      if (position.offset > acked.offset) generation.acked = position;
      generation.closeFile();
    }
    this.#ended(generation);
  }

  /** Its number was another file's: this one is adopted again, with the next. */
  abandon(generation: Generation): void {
    this.forget(generation);
    this.#ended(generation);
  }

  #ended({ source, generation }: Generation): void {
    this.#ports.changed({ kind: "ended", stream: { source, generation } });
  }

  /** Opens a finished generation again, or makes one of what a cursor knows of it. False where it is not finished. */
  takeUp(key: StreamKey, { identity, position }: FileCursor): boolean {
    const known = this.generation(key);
    if (known !== undefined) {
      if (known.phase !== "finished") return false;
      known.phase = "open";
      known.acked = position;
      known.moveTo(position);
      known.rotatedAtMs = undefined;
    }
    const generation = known ?? this.#remember(key, identity, position);
    this.appeared(generation);
    return true;
  }

  /** Its file is looked for when it is read. What has another owner by now is not read as two streams. */
  #remember(key: StreamKey, identity: FileIdentity, position: FilePosition): Generation {
    const sizeBytes = position.offset;
    const generation = new Generation({
      ...key,
      phase: "open",
      identity,
      position,
      sizeBytes,
      path: undefined,
    });
    const record = this.record(key.source);
    record.next = Math.max(record.next, key.generation + 1);
    record.generations.set(key.generation, generation);
    if (this.#byInode.has(inodeKey(identity))) this.end(generation, "cursor-lost");
    else this.index(generation);
    return generation;
  }

  /** A file that is there and cannot be opened now, or may not even be looked for, is not gone. */
  reopen(generation: Generation): OpenFile | "out-of-reach" | undefined {
    for (const { path, stat } of this.disk.survey(generation.source)) {
      if (!isSameObject(generation.identity, stat)) continue;
      const file = this.disk.open(path, stat);
      generation.path = path;
      if (file === undefined) return "out-of-reach";
      this.hold(generation, file);
      return file;
    }
    return this.disk.isHidden(generation.source) ? "out-of-reach" : undefined;
  }

  /** The inode of the generation's file answers to it. */
  index(generation: Generation): void {
    this.#byInode.set(inodeKey(generation.identity), generation);
  }

  /** It does not any more. */
  unindex(generation: Generation): void {
    const key = inodeKey(generation.identity);
    if (this.#byInode.get(key) === generation) this.#byInode.delete(key);
  }
}

import { err, ok } from "@sluice/quantity";
import type { Result } from "@sluice/quantity";
import { findCopy, wasCutUnseen } from "./copy.ts";
import type { FileCursor } from "./cursor.ts";
import type { LossReason, TailEvent, TruncatedReason } from "./event.ts";
import type { TailClock } from "./file-source-options.ts";
import type { PathReports } from "./finder.ts";
import { Generation } from "./generation.ts";
import type { Phase } from "./generation.ts";
import {
  grownHead,
  hasContent,
  identify,
  inodeKey,
  isSameObject,
  mismatch,
  positionAt,
} from "./identity.ts";
import type { FileIdentity, FilePosition, HeadPrint } from "./identity.ts";
import { OpenFile, statPath } from "./open-file.ts";
import type { FileStat } from "./open-file.ts";
import type { CursorLost, StreamChange, StreamKey } from "./source.ts";
import type { SourceRecord, SourceState } from "./source-state.ts";
import { Surveyor } from "./survey.ts";
import type { SurveyedFile } from "./survey.ts";

export interface RegistryPorts {
  readonly clock: TailClock;
  readonly reports: PathReports;
  readonly emit: (event: TailEvent) => void;
  readonly changed: (change: StreamChange) => void;
}

export interface Adoption {
  readonly source: string;
  readonly found: SurveyedFile;
  readonly phase: Phase;
  /** Where the generation begins: a position, or a way to find an offset in the open file. */
  readonly from: FilePosition | ((file: OpenFile, stat: FileStat) => number);
}

/**
 * The generations of one file source, and what happens to each. Every inode answers to at most one
 * generation that has not ended. All of it is synchronous: no reader sees a half-made change.
 */
export class Registry {
  readonly sources: Map<string, SourceRecord>;
  readonly #byInode = new Map<string, Generation>();
  readonly #ports: RegistryPorts;
  readonly #surveyor: Surveyor;

  constructor(state: SourceState | undefined, ports: RegistryPorts) {
    this.sources = new Map(state?.sources);
    this.#ports = ports;
    this.#surveyor = new Surveyor(ports.clock.wallMs);
    for (const generation of this.known()) {
      if (generation.ending === undefined) this.#index(generation);
    }
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

  /** Rotated siblings of a path, the oldest first, then the file at the path. */
  survey(path: string): readonly SurveyedFile[] {
    return this.#surveyor.survey(path);
  }

  /** Folder listings are kept for one scan. */
  forgetListings(): void {
    this.#surveyor.forget();
  }

  record(path: string): SourceRecord {
    const known = this.sources.get(path);
    if (known !== undefined) return known;
    const record: SourceRecord = { path, next: 1, generations: new Map(), restored: false };
    this.sources.set(path, record);
    return record;
  }

  /** Makes a generation of a file that belongs to none; undefined where it cannot be read now. */
  adopt({ source, found, phase, from }: Adoption): Generation | undefined {
    const file = this.open(found.path, found.stat);
    if (file === undefined) return undefined;
    const stat = file.stat();
    const identity = identify(file, stat);
    const position = typeof from === "function" ? positionAt(file, from(file, stat)) : from;
    if (position === undefined) {
      // Cut while we looked: the next scan sees what became of it.
      file.close();
      return undefined;
    }
    const record = this.record(source);
    const generation = new Generation({
      source,
      generation: record.next,
      phase,
      identity,
      position,
      sizeBytes: stat.sizeBytes,
      path: found.path,
    });
    record.next += 1;
    generation.wasSeen = true;
    generation.mtimeNs = stat.mtimeNs;
    this.add(generation);
    if (phase === "open") {
      generation.file = file;
      this.#ports.changed({ kind: "appeared", stream: generation.toStream() });
    } else {
      file.close();
    }
    return generation;
  }

  add(generation: Generation): void {
    this.record(generation.source).generations.set(generation.generation, generation);
    this.#index(generation);
  }

  /** Opens the file that was seen at a path; undefined where it is another one by now. */
  open(path: string, seen: FileStat): OpenFile | undefined {
    let file: OpenFile;
    try {
      file = OpenFile.open(path);
    } catch (error) {
      return this.#ports.reports.unreadable(path, error);
    }
    this.#ports.reports.readable(path);
    if (isSameObject({ dev: seen.dev, ino: seen.ino, bornNs: seen.bornNs }, file.stat())) {
      return file;
    }
    file.close();
    return undefined;
  }

  /**
   * Compares an open file with what is known of it and notes how it has grown. False where it is
   * not the file that was read: then the generation has moved to a copy, or ended.
   */
  verify(generation: Generation, file: OpenFile): boolean {
    const stat = file.stat();
    const isUnchanged =
      generation.mtimeNs === stat.mtimeNs && generation.sizeBytes === stat.sizeBytes;
    if (generation.wasSeen && isUnchanged) return true;
    const reason = wasCutUnseen(this, generation, file)
      ? "regrown"
      : mismatch(file, stat, generation.identity, generation.position);
    if (reason !== undefined) {
      this.diverge(generation, reason);
      return false;
    }
    generation.wasSeen = true;
    generation.sizeBytes = stat.sizeBytes;
    generation.mtimeNs = stat.mtimeNs;
    const head = grownHead(file, generation.identity.head) ?? generation.identity.head;
    generation.identity = { ...generation.identity, bornNs: stat.bornNs, head };
    return true;
  }

  /** The file was cut or replaced under a generation: goes on in a copy of it, or ends it. */
  diverge(generation: Generation, reason: TruncatedReason): void {
    if (generation.phase !== "open") return this.forget(generation);
    const { source, position } = generation;
    this.#ports.emit({
      kind: "truncated",
      source,
      generation: generation.generation,
      reason,
      offset: position.offset,
    });
    this.#unindex(generation);
    if (this.#continueInCopy(generation, generation.identity.head, position)) return;
    this.end(generation, reason === "replaced" ? "deleted" : "truncated");
  }

  /** Nothing more can be read of it. Its number stays until the consumer finishes the stream. */
  end(generation: Generation, cause: LossReason): void {
    this.#unindex(generation);
    const { sizeBytes, position, wasSeen } = generation;
    // Seen by an earlier run only: it may have grown since, and nobody knows how far.
    const isKnown = wasSeen && cause !== "cursor-lost";
    generation.ending = {
      cause,
      endByte: isKnown ? Math.max(sizeBytes, position.offset) : undefined,
    };
    generation.closeFile();
    generation.wake?.();
  }

  forget(generation: Generation): void {
    this.#unindex(generation);
    generation.closeFile();
    this.sources.get(generation.source)?.generations.delete(generation.generation);
  }

  finish(generation: Generation): void {
    if (generation.ending !== undefined) {
      this.forget(generation);
    } else {
      generation.phase = "finished";
      generation.acked = generation.position;
      generation.closeFile();
    }
    const { source, generation: number } = generation;
    this.#ports.changed({ kind: "ended", stream: { source, generation: number } });
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
    this.#ports.changed({ kind: "appeared", stream: generation.toStream() });
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
    else this.#index(generation);
    return generation;
  }

  /** Moves an open generation to a cursor, wherever the bytes it means are now. */
  seek(generation: Generation, cursor: FileCursor): Result<void, CursorLost> {
    const { position, identity } = cursor;
    if (generation.ending !== undefined) {
      const { endByte } = generation.ending;
      const isPastEnd = endByte !== undefined && position.offset >= endByte;
      if (!isPastEnd) return this.#cursorLost(generation, position, "its file is gone");
      generation.moveTo(position);
      return ok(undefined);
    }
    const file = generation.file ?? this.#reopen(generation);
    if (file === "out-of-reach") {
      // The scan that can open it compares it with this position.
      generation.moveTo(position);
      return ok(undefined);
    }
    // Of an empty file a cursor knows the inode only, and a scan has compared that.
    if (file !== undefined && hasContent(file, identity.head, position)) {
      generation.moveTo(position);
      return ok(undefined);
    }
    if (this.#continueInCopy(generation, identity.head, position)) {
      generation.moveTo(position);
      return ok(undefined);
    }
    const detail =
      file === undefined
        ? `no file has its inode ${identity.ino} and content`
        : `${generation.path ?? "its file"} does not hold what was read before ${position.offset}`;
    const lost = this.#cursorLost(generation, position, detail);
    this.end(generation, "cursor-lost");
    return lost;
  }

  #cursorLost(
    generation: Generation,
    position: FilePosition,
    detail: string,
  ): Result<never, CursorLost> {
    const { source, generation: number, ending } = generation;
    this.#ports.emit({ kind: "cursor-lost", source, generation: number, detail });
    const knownBytes =
      ending?.endByte === undefined ? undefined : Math.max(0, ending.endByte - position.offset);
    return err({ code: "cursor-lost", detail, knownBytes });
  }

  /** A file that is there and cannot be opened now, or may not even be looked for, is not gone. */
  #reopen(generation: Generation): OpenFile | "out-of-reach" | undefined {
    for (const { path, stat } of this.survey(generation.source)) {
      if (!isSameObject(generation.identity, stat)) continue;
      generation.file = this.open(path, stat);
      generation.path = path;
      return generation.file ?? "out-of-reach";
    }
    return this.#isHidden(generation.source) ? "out-of-reach" : undefined;
  }

  #isHidden(path: string): boolean {
    try {
      statPath(path);
      return false;
    } catch (error) {
      this.#ports.reports.unreadable(path, error);
      return true;
    }
  }

  /** copytruncate leaves the unread rest in a copy beside the file. */
  #continueInCopy(generation: Generation, head: HeadPrint, position: FilePosition): boolean {
    const copy = findCopy(this, generation, head, position);
    if (copy === undefined) return false;
    const owner = this.ownerOfObject(copy.found.stat);
    if (!copy.isContinued) {
      copy.file.close();
      if (owner === undefined) this.rememberCopy(generation.source, copy.found);
      return false;
    }
    if (owner !== undefined) this.forget(owner);
    this.#moveInto(generation, copy.found, copy.file);
    return true;
  }

  rememberCopy(source: string, found: SurveyedFile): void {
    this.adopt({ source, found, phase: "copy", from: endOfFile });
  }

  #moveInto(generation: Generation, found: SurveyedFile, file: OpenFile): void {
    this.#unindex(generation);
    generation.closeFile();
    const stat = file.stat();
    generation.file = file;
    generation.path = found.path;
    generation.identity = identify(file, stat);
    generation.sizeBytes = stat.sizeBytes;
    generation.mtimeNs = stat.mtimeNs;
    generation.wasSeen = true;
    this.#index(generation);
    const { source, generation: number } = generation;
    this.#ports.emit({ kind: "recovered", source, generation: number, path: found.path });
    generation.wake?.();
  }

  #index(generation: Generation): void {
    this.#byInode.set(inodeKey(generation.identity), generation);
  }

  #unindex(generation: Generation): void {
    const key = inodeKey(generation.identity);
    if (this.#byInode.get(key) === generation) this.#byInode.delete(key);
  }
}

function endOfFile(_: OpenFile, stat: FileStat): number {
  return stat.sizeBytes;
}

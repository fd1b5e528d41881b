import { ArchiveNotes } from "./archive/archive-notes.ts";
import { findCopy, wasCutUnseen } from "./copy.ts";
import type { FileCursor } from "./cursor.ts";
import type { LossReason, TailEvent, TruncatedReason } from "./event.ts";
import { fingerprint } from "./fingerprint.ts";
import { Generation } from "./generation.ts";
import type { GenerationInit, Phase } from "./generation.ts";
import {
  grownHead,
  identify,
  inodeKey,
  isSameObject,
  mismatch,
  positionAt,
  tipOf,
} from "./identity.ts";
import type { FileIdentity, FilePosition, HeadPrint } from "./identity.ts";
import type { Disk } from "./disk.ts";
import type { HeldFiles } from "./held-files.ts";
import type { FileStat, OpenFile } from "./open-file.ts";
import type { StreamChange, StreamKey } from "./source.ts";
import type { SourceRecord, SourceState } from "./source-state.ts";
import type { ArchiveFile, SurveyedFile } from "./survey.ts";

export interface RegistryPorts {
  readonly disk: Disk;
  readonly held: HeldFiles;
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

const BEGINNING: FilePosition = { offset: 0, anchor: fingerprint(new Uint8Array()) };

/**
 * The generations of one file source, and what happens to each. Every inode answers to at most one
 * generation that has not ended. All of it is synchronous: no reader sees a half-made change.
 */
export class Registry {
  readonly sources: Map<string, SourceRecord>;
  readonly disk: Disk;
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
    this.scannedAtMs = state.scannedAtMs;
    for (const generation of this.known()) {
      if (generation.ending === undefined) this.#index(generation);
    }
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
    const record: SourceRecord = { path, next: 1, generations: new Map(), restored: false };
    this.sources.set(path, record);
    return record;
  }

  /** Makes a generation of a file that belongs to none; undefined where it cannot be read now. */
  adopt({ source, found, phase, from }: Adoption): Generation | undefined {
    const file = this.disk.open(found.path, found.stat);
    if (file === undefined) return undefined;
    const stat = file.stat();
    const identity = identify(file, stat);
    const position = typeof from === "function" ? positionAt(file, from(file, stat)) : from;
    if (position === undefined) {
      // Cut while we looked: the next scan sees what became of it.
      file.close();
      return undefined;
    }
    const { sizeBytes } = stat;
    return this.#addNew(file, stat, {
      source,
      phase,
      identity,
      position,
      sizeBytes,
      path: found.path,
      tip: tipOf(file, stat),
    });
  }

  /** Makes a generation of an archive that belongs to none; `head` is that of its content. */
  adoptArchive(
    source: string,
    found: ArchiveFile,
    head: HeadPrint,
    { phase, position = BEGINNING }: { readonly phase: Phase; readonly position?: FilePosition },
  ): Generation | undefined {
    const file = this.disk.open(found.path, found.stat);
    if (file === undefined) return undefined;
    const stat = file.stat();
    const { dev, ino, bornNs } = stat;
    const { path, format } = found;
    const identity = { dev, ino, bornNs, head };
    const sizeBytes = position.offset;
    return this.#addNew(file, stat, { source, phase, identity, position, sizeBytes, path, format });
  }

  #addNew(file: OpenFile, stat: FileStat, init: Omit<GenerationInit, "generation">): Generation {
    const record = this.record(init.source);
    const generation = new Generation({ ...init, generation: record.next });
    record.next += 1;
    generation.wasSeen = true;
    generation.mtimeNs = stat.mtimeNs;
    this.add(generation);
    if (init.phase === "open") {
      this.hold(generation, file);
      this.#ports.changed({ kind: "appeared", stream: generation.toStream() });
    } else {
      file.close();
    }
    return generation;
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
    this.#index(generation);
  }

  /**
   * Compares an open file with what is known of it and notes how it has grown. False where it is
   * not the file that was read: then the generation has moved to a copy, or ended.
   */
  verify(generation: Generation, file: OpenFile): boolean {
    const stat = file.stat();
    if (generation.format !== undefined) {
      // What was compressed is not written to any more.
      if (isSameObject(generation.identity, stat)) return true;
      this.diverge(generation, "replaced");
      return false;
    }
    const isUnchanged =
      generation.mtimeNs === stat.mtimeNs && generation.sizeBytes === stat.sizeBytes;
    if (generation.wasSeen && isUnchanged) return true;
    const reason = wasCutUnseen(this, generation, file)
      ? "regrown"
      : mismatch(file, stat, generation.identity, generation.position, generation.tip);
    if (reason !== undefined) {
      this.diverge(generation, reason);
      return false;
    }
    generation.wasSeen = true;
    generation.sizeBytes = stat.sizeBytes;
    generation.mtimeNs = stat.mtimeNs;
    generation.tip = tipOf(file, stat) ?? generation.tip;
    const head = grownHead(file, generation.identity.head) ?? generation.identity.head;
    generation.identity = { ...generation.identity, bornNs: stat.bornNs, head };
    return true;
  }

  /** The file was cut or replaced under a generation: goes on in a copy of it, or ends it. */
  diverge(generation: Generation, reason: TruncatedReason): void {
    if (generation.phase !== "open") {
      // For two scans it is still known, so that an archive of it is not read.
      if (this.disk.archives(generation.source).length > 0) return this.#unindex(generation);
      return this.forget(generation);
    }
    const { source, position } = generation;
    this.emit({
      kind: "truncated",
      source,
      generation: generation.generation,
      reason,
      offset: position.offset,
    });
    this.#unindex(generation);
    // Of a file that little is known of, anything may be a copy: archives are older, and come first.
    const asksArchives = generation.isWeak && this.notes.newArchives(source).length > 0;
    if (!asksArchives && this.continueInCopy(generation, generation.identity.head, position))
      return;
    this.lose(generation, reason === "replaced" ? "deleted" : "truncated");
  }

  /** Its file is no more. Where there are archives, the next scan looks for its content in them. */
  lose(generation: Generation, cause: LossReason): void {
    if (this.disk.archives(generation.source).length === 0) return this.end(generation, cause);
    this.notes.moved(generation.source);
    this.#unindex(generation);
    generation.closeFile();
    generation.path = undefined;
    generation.format = undefined;
    generation.orphanhood = cause;
  }

  /** No archive holds it. What was only not found has one more look before it counts as gone. */
  giveUp(orphan: Generation): void {
    const { orphanhood, source, generation, identity, position } = orphan;
    orphan.orphanhood = undefined;
    if (orphanhood === undefined || orphanhood === "missing") return;
    if (this.continueInCopy(orphan, identity.head, position)) return;
    if (orphanhood === "cursor-lost") {
      const detail = "no file and no archive of it holds what was read";
      this.emit({ kind: "cursor-lost", source, generation, detail });
    }
    this.end(orphan, orphanhood);
  }

  /** Nothing more can be read of it. Its number stays until the consumer finishes the stream. */
  end(generation: Generation, cause: LossReason): void {
    this.#unindex(generation);
    const { sizeBytes, seenBytes, position, wasSeen, format } = generation;
    // Seen by an earlier run only, or compressed: it may have grown since, and nobody knows how far.
    const isKnown = wasSeen && format === undefined && cause !== "cursor-lost";
    generation.orphanhood = undefined;
    generation.ending = {
      cause,
      endByte: isKnown ? Math.max(sizeBytes, seenBytes, position.offset) : undefined,
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
      generation.orphanhood = undefined;
      // Who learned that its end is stored has not read it once more.
      const { position, acked } = generation;
      if (position.offset > acked.offset) generation.acked = position;
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

  /** copytruncate leaves the unread rest in a copy beside the file. */
  continueInCopy(generation: Generation, head: HeadPrint, position: FilePosition): boolean {
    const copy = findCopy(this, generation, head, position);
    if (copy === undefined) return false;
    const owner = this.ownerOfObject(copy.found.stat);
    if (!copy.isContinued) {
      copy.file.close();
      if (owner === undefined) this.rememberCopy(generation.source, copy.found);
      return false;
    }
    this.moveInto(generation, copy.found, copy.file);
    return true;
  }

  rememberCopy(source: string, found: SurveyedFile): void {
    this.adopt({ source, found, phase: "copy", from: endOfFile });
  }

  /** The generation goes on in another file that holds its bytes: a copy of its own, or an archive. */
  moveInto(generation: Generation, found: SurveyedFile, file: OpenFile): void {
    const owner = this.owner(found.stat);
    if (owner?.phase === "copy") this.forget(owner);
    this.#unindex(generation);
    generation.closeFile();
    const stat = file.stat();
    generation.seenBytes = Math.max(generation.seenBytes, generation.sizeBytes);
    this.hold(generation, file);
    generation.path = found.path;
    generation.format = found.format;
    generation.orphanhood = undefined;
    generation.tip = undefined;
    if (found.format === undefined) {
      generation.identity = identify(file, stat);
      generation.sizeBytes = stat.sizeBytes;
    } else {
      const { dev, ino, bornNs } = stat;
      generation.identity = { dev, ino, bornNs, head: generation.identity.head };
    }
    generation.mtimeNs = stat.mtimeNs;
    generation.wasSeen = true;
    this.#index(generation);
    const { source, generation: number } = generation;
    this.emit({ kind: "recovered", source, generation: number, path: found.path });
    generation.wake?.();
    // The number was that of a file that is gone, and that this scan has not come to yet.
    if (owner !== undefined && owner.phase !== "copy") this.diverge(owner, "replaced");
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

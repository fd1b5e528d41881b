import { FILE_CLOCK_SLACK_MS } from "./file-source-options.ts";
import type { StartPolicy, TailClock } from "./file-source-options.ts";
import { fingerprint } from "./fingerprint.ts";
import { Generation } from "./generation.ts";
import type { GenerationInit, Phase } from "./generation.ts";
import { identify, positionAt, tipOf } from "./identity.ts";
import type { FilePosition, HeadPrint } from "./identity.ts";
import type { FileStat, OpenFile } from "./open-file.ts";
import type { Registry } from "./registry.ts";
import type { ArchiveFile, SurveyedFile } from "./survey.ts";

const LF = 10;
const STEP_BYTES = 64 * 1024;

export interface Adoption {
  readonly source: string;
  readonly found: SurveyedFile;
  readonly phase: Phase;
  /** Where the generation begins: a position, or a way to find an offset in the open file. */
  readonly from: FilePosition | ((file: OpenFile, stat: FileStat) => number);
}

const BEGINNING: FilePosition = { offset: 0, anchor: fingerprint(new Uint8Array()) };

/** Makes a generation of a file that belongs to none; undefined where it cannot be read now. */
export function adopt(
  registry: Registry,
  { source, found, phase, from }: Adoption,
): Generation | undefined {
  const file = registry.disk.open(found.path, found.stat);
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
  return addNew(registry, file, stat, {
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
export function adoptArchive(
  registry: Registry,
  source: string,
  found: ArchiveFile,
  head: HeadPrint,
  { phase, position = BEGINNING }: { readonly phase: Phase; readonly position?: FilePosition },
): Generation | undefined {
  const file = registry.disk.open(found.path, found.stat);
  if (file === undefined) return undefined;
  const stat = file.stat();
  const { dev, ino, bornNs } = stat;
  const { path, format } = found;
  const identity = { dev, ino, bornNs, head };
  const sizeBytes = position.offset;
  return addNew(registry, file, stat, {
    source,
    phase,
    identity,
    position,
    sizeBytes,
    path,
    format,
  });
}

function addNew(
  registry: Registry,
  file: OpenFile,
  stat: FileStat,
  init: Omit<GenerationInit, "generation">,
): Generation {
  const record = registry.record(init.source);
  const generation = new Generation({ ...init, generation: record.next });
  record.next += 1;
  generation.wasSeen = true;
  generation.mtimeNs = stat.mtimeNs;
  registry.add(generation);
  if (init.phase === "open") {
    registry.hold(generation, file);
    registry.appeared(generation);
  } else {
    file.close();
  }
  return generation;
}

export interface AdoptionOptions {
  readonly start: StartPolicy;
  readonly clock: TailClock;
}

/** Decides where reading begins in a file that belongs to no generation yet, or that it is not read. */
export class AdoptionPolicy {
  readonly #registry: Registry;
  readonly #options: AdoptionOptions;

  constructor(registry: Registry, options: AdoptionOptions) {
    this.#registry = registry;
    this.#options = options;
  }

  /** The file at a source's path: only at the first start ever may its old lines be left out. */
  adopt(source: string, found: SurveyedFile, isNewSource: boolean): Generation | undefined {
    const isOld = isNewSource && this.#registry.scannedAtMs === undefined;
    const from = isOld && !this.#isRecent(found.stat) ? endOfLastLine : beginning;
    return adopt(this.#registry, { source, found, phase: "open", from });
  }

  /** A sibling of a path that was never seen before: made before its time, or since the last scan. */
  adoptFirstSibling(
    source: string,
    found: SurveyedFile,
    isMatched: boolean,
  ): Generation | undefined {
    const { scannedAtMs } = this.#registry;
    if (scannedAtMs === undefined) {
      return this.adoptSibling(source, found, isMatched && this.#isRecent(found.stat));
    }
    const bornMs = Number(found.stat.bornNs / 1_000_000n);
    const isNew = isMatched || bornMs >= scannedAtMs - FILE_CLOCK_SLACK_MS;
    return this.adoptSibling(source, found, isNew);
  }

  /** Reads a rotated sibling from byte 0, or notes that it is not to be read. */
  adoptSibling(source: string, found: SurveyedFile, isRead: boolean): Generation | undefined {
    const phase = isRead ? "open" : "finished";
    return adopt(this.#registry, { source, found, phase, from: isRead ? beginning : end });
  }

  #isRecent(stat: FileStat): boolean {
    const { start, clock } = this.#options;
    if (typeof start === "string") return start === "beginning";
    return Number(stat.mtimeNs / 1_000_000n) >= clock.wallMs() - start.withinMs;
  }
}

function beginning(): number {
  return 0;
}

function end(_: OpenFile, stat: FileStat): number {
  return stat.sizeBytes;
}

/** The offset after the last LF, 0 where there is none: a line begun before is read whole. */
function endOfLastLine(file: OpenFile, stat: FileStat): number {
  for (let stop = stat.sizeBytes; stop > 0; stop -= STEP_BYTES) {
    const from = Math.max(0, stop - STEP_BYTES);
    const index = file.bytesAt(from, stop - from).lastIndexOf(LF);
    if (index >= 0) return from + index + 1;
  }
  return 0;
}

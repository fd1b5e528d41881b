import { FILE_CLOCK_SLACK_MS } from "./file-source-options.ts";
import type { StartPolicy, TailClock } from "./file-source-options.ts";
import type { Generation } from "./generation.ts";
import type { FileStat, OpenFile } from "./open-file.ts";
import type { Registry } from "./registry.ts";
import type { SurveyedFile } from "./survey.ts";

const LF = 10;
const STEP_BYTES = 64 * 1024;

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
    return this.#registry.adopt({ source, found, phase: "open", from });
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
    return this.#registry.adopt({ source, found, phase, from: isRead ? beginning : end });
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

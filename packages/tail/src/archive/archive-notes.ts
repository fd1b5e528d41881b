import { FILE_CLOCK_SLACK_MS } from "../file-source-options.ts";
import type { Generation } from "../generation.ts";
import { inodeKey, isSameObject } from "../identity.ts";
import type { HeadPrint } from "../identity.ts";
import type { FileStat } from "../open-file.ts";
import type { Registry } from "../registry.ts";
import type { ArchiveFile, SurveyedFile } from "../survey.ts";

/** What scans and searches of archives tell each other. */
export class ArchiveNotes {
  /** Archives, by inode, of files that were never seen, with the head of what they hold. */
  readonly strangers: Map<string, HeadPrint> = new Map<string, HeadPrint>();
  /** Archives, by source and inode, that the last search has seen. */
  readonly judged: Map<string, ReadonlySet<string>> = new Map<string, ReadonlySet<string>>();
  /** Sources to be searched at the next look: an archive is still being written, or a reader waits. */
  readonly pending: Set<string> = new Set<string>();
  readonly #registry: Registry;
  readonly #moves = new Map<string, number>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** A generation of the source was given another position, or has lost its file. */
  moved(source: string): void {
    this.#moves.set(source, this.movesOf(source) + 1);
  }

  movesOf(source: string): number {
    return this.#moves.get(source) ?? 0;
  }

  /** Nothing is known of the source any more. */
  forget(source: string): void {
    this.#moves.delete(source);
    this.judged.delete(source);
  }

  /** Whether bytes of a file may have been written after the last scan, or after what was restored. */
  isFresh(source: string, { mtimeNs }: FileStat): boolean {
    const { scannedAtMs, sources } = this.#registry;
    if (scannedAtMs === undefined) return sources.get(source)?.restored ?? false;
    return Number(mtimeNs / 1_000_000n) >= scannedAtMs - FILE_CLOCK_SLACK_MS;
  }

  /** Archives that nobody knows anything of, and that may hold what was never seen. */
  newArchives(source: string): readonly ArchiveFile[] {
    const { disk } = this.#registry;
    const judged = this.judged.get(source);
    return disk.archives(source).filter(({ stat }) => {
      const isKnown = judged?.has(inodeKey(stat)) === true;
      return !isKnown && this.#registry.owner(stat) === undefined && this.isFresh(source, stat);
    });
  }

  /** Whether the file at its place may have been copied, compressed and cut: the next look finds out. */
  awaitsSearch({ isWeak, path, source }: Generation): boolean {
    if (!isWeak || path !== source || this.newArchives(source).length === 0) return false;
    this.pending.add(source);
    return true;
  }

  /** The file of a generation in its place, of which less than 1 KiB is known. */
  weakInPlace(source: string): SurveyedFile | undefined {
    const current = this.#registry.disk.survey(source).find(({ path }) => path === source);
    const owner = current === undefined ? undefined : this.#registry.owner(current.stat);
    if (current === undefined || owner?.phase !== "open") return undefined;
    const isRight = owner.source === source && owner.format === undefined && owner.isWeak;
    return isRight && isSameObject(owner.identity, current.stat) ? current : undefined;
  }
}

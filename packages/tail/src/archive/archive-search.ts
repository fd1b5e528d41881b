import { adoptArchive } from "../adoption.ts";
import { diverge, giveUp, moveInto } from "../divergence.ts";
import type { Archive } from "./archive.ts";
import { ArchiveFinding } from "./archive-finding.ts";
import type { TailEvent } from "../event.ts";
import type { Generation } from "../generation.ts";
import { inodeKey, isAnswer, isSameObject, positionAt } from "../identity.ts";
import type { OpenFile } from "../open-file.ts";
import type { Registry } from "../registry.ts";
import type { ArchiveFile } from "../survey.ts";

export interface ArchiveSearchOptions {
  readonly wallMs: () => number;
  readonly emit: (event: TailEvent) => void;
  /** Inflating may take long. */
  readonly signal: AbortSignal;
}

/**
 * Looks for what a log's files held in their compressed siblings. An archive is that of a generation
 * when it begins with its head and has its anchor at each position that is known of it. What belongs
 * to no generation and was written to since the last look is a file that was never seen.
 */
export class ArchiveSearch implements Disposable {
  readonly #registry: Registry;
  readonly #options: ArchiveSearchOptions;
  readonly #source: string;
  /** The registry's count of moved readers that the findings stand for. */
  #moves = 0;
  readonly #findings = new Map<string, ArchiveFinding>();

  constructor(registry: Registry, source: string, options: ArchiveSearchOptions) {
    this.#registry = registry;
    this.#source = source;
    this.#options = options;
  }

  /** Throws the signal's reason when aborted. Afterwards every orphan is in an archive, or given up, or waits for one to be complete. */
  async run(): Promise<void> {
    for (;;) {
      this.#moves = this.#registry.notes.movesOf(this.#source);
      if (await this.#attempt()) return;
      // What was found speaks of how things were.
      this[Symbol.dispose]();
      this.#findings.clear();
    }
  }

  async #attempt(): Promise<boolean> {
    const archives = this.#registry.disk.archives(this.#source);
    const fresh = archives.filter(({ stat }) => this.#registry.notes.isFresh(this.#source, stat));
    const stale = archives.filter((archive) => !fresh.includes(archive)).toReversed();
    for (const orphan of this.#known()) {
      if (orphan.orphanhood === undefined) continue;
      if (!(await this.#place(orphan, fresh, stale))) return false;
    }
    for (const archive of fresh) {
      if (!(await this.#classify(archive))) return false;
    }
    this.#registry.notes.judged.set(this.#source, new Set(fresh.map(({ stat }) => inodeKey(stat))));
    for (const { wake } of this.#known()) wake?.();
    return true;
  }

  [Symbol.dispose](): void {
    for (const finding of this.#findings.values()) finding[Symbol.dispose]();
  }

  #known(): Generation[] {
    return [...(this.#registry.sources.get(this.#source)?.generations.values() ?? [])];
  }

  /** What is known to be another generation's copy may be an orphan's all the same. */
  #isTaken({ stat }: ArchiveFile): boolean {
    const owner = this.#registry.ownerOfObject(stat);
    return owner !== undefined && owner.phase !== "copy";
  }

  /** False where a reader was moved or a file renamed meanwhile. */
  async #place(
    orphan: Generation,
    fresh: readonly ArchiveFile[],
    stale: readonly ArchiveFile[],
  ): Promise<boolean> {
    let isUndecided = false;
    const isEmpty = orphan.isWeak && orphan.position.offset === 0;
    // Where several look alike, it is the oldest of those that are not older than the last look.
    for (const archive of isEmpty ? [...stale, ...fresh] : [...fresh, ...stale]) {
      if (this.#isTaken(archive)) continue;
      const finding = await this.#examine(archive);
      if (finding === undefined) {
        if (!this.#isInPlace(archive)) return false;
        continue;
      }
      let isFound = finding.continues(orphan) && finding.isClosest(orphan);
      if (isFound && orphan.isWeak && stale.includes(archive)) {
        // Nothing was written to it since it was looked at: it is as long as it was then.
        isFound = (await finding.measure()) === orphan.sizeBytes;
      }
      if (this.#moves !== this.#registry.notes.movesOf(this.#source)) return false;
      if (isFound) {
        finding.isKept = true;
        moveInto(this.#registry, orphan, archive, finding.file);
        return true;
      }
      isUndecided ||= finding.isUnfinished(this.#options.wallMs());
    }
    if (!isUndecided) giveUp(this.#registry, orphan);
    return true;
  }

  /** Archives are renamed as well. */
  #isInPlace({ path, stat }: ArchiveFile): boolean {
    return this.#registry.disk
      .archives(this.#source)
      .some((each) => each.path === path && inodeKey(each.stat) === inodeKey(stat));
  }

  async #classify(archive: ArchiveFile): Promise<boolean> {
    if (this.#registry.owner(archive.stat) !== undefined) return true;
    const finding = await this.#examine(archive);
    if (finding === undefined) return true;
    const { kin, content } = finding;
    const totalBytes = kin.size === 0 ? 0 : await finding.measure();
    if (this.#moves !== this.#registry.notes.movesOf(this.#source)) return false;
    if (finding.isUnfinished(this.#options.wallMs())) {
      this.#registry.notes.pending.add(this.#source);
      return true;
    }
    const cut = this.#findCut(finding, totalBytes);
    if (cut !== undefined) {
      diverge(this.#registry, cut, "regrown");
      this.#moves = this.#registry.notes.movesOf(this.#source);
      return this.#place(cut, [archive], []);
    }
    if ([...kin.keys()].some((generation) => this.#isHeldBy(generation, finding, totalBytes))) {
      adoptArchive(this.#registry, this.#source, archive, content.head, { phase: "copy" });
      return true;
    }
    const finished = [...kin].find(
      ([generation, bytes]) => bytes > 0 && this.#hasGoneWhenFinished(generation),
    );
    if (finished === undefined) {
      this.#registry.notes.strangers.set(inodeKey(archive.stat), content.head);
    } else {
      this.#readLateWrite(finished[0], finding);
    }
    return true;
  }

  /**
   * A head of a few bytes does not tell a file from itself after it was written, copied, compressed
   * and cut. Where it is in its place, and does not hold what the archive goes on with, the archive
   * is the file as it was.
   */
  #findCut(finding: ArchiveFinding, totalBytes: number): Generation | undefined {
    const current = this.#registry.notes.weakInPlace(this.#source);
    const generation = current === undefined ? undefined : this.#registry.owner(current.stat);
    if (current === undefined || generation === undefined) return undefined;
    if (!finding.continues(generation)) return undefined;
    if (totalBytes === generation.position.offset) return undefined;
    const file = generation.file ?? this.#registry.disk.open(current.path, current.stat);
    if (file === undefined) return undefined;
    const isHeld = holdsEnd(file, finding.content, totalBytes);
    if (file !== generation.file) file.close();
    return isHeld ? undefined : generation;
  }

  /** The generation has all that the archive has. */
  #isHeldBy(generation: Generation, { content }: ArchiveFinding, totalBytes: number): boolean {
    if (totalBytes <= generation.position.offset) return true;
    const file = this.#registry.fileOf(generation);
    return file !== undefined && holdsEnd(file, content, totalBytes);
  }

  #hasGoneWhenFinished({ phase, identity, path }: Generation): boolean {
    if (phase !== "finished") return false;
    const files = this.#registry.disk.survey(this.#source);
    return !files.some((file) => file.path === path && isSameObject(identity, file.stat));
  }

  /** It was written to between its end and its compression. */
  #readLateWrite(finished: Generation, { archive, content }: ArchiveFinding): void {
    const { acked: position, generation: number } = finished;
    const { head } = content;
    const late = adoptArchive(this.#registry, this.#source, archive, head, {
      phase: "open",
      position,
    });
    if (late === undefined) return;
    this.#registry.forget(finished);
    const { source, generation } = late;
    const { path } = archive;
    this.#options.emit({ kind: "late-write", source, finished: number, generation, path });
  }

  async #examine(archive: ArchiveFile): Promise<ArchiveFinding | undefined> {
    const key = inodeKey(archive.stat);
    const known = this.#findings.get(key);
    if (known !== undefined) return known;
    const file = this.#registry.disk.open(archive.path, archive.stat);
    if (file === undefined) return undefined;
    const finding = new ArchiveFinding(archive, file, this.#options.signal);
    this.#findings.set(key, finding);
    await finding.compare(
      this.#known().filter(({ ending, format }) => ending === undefined && format === undefined),
    );
    return finding;
  }
}

/** The file has what the content, inflated to its end, ends with, at the same place. */
function holdsEnd(file: OpenFile, content: Archive, totalBytes: number): boolean {
  const end = content.positionAt(totalBytes);
  return end !== undefined && isAnswer(positionAt(file, totalBytes), end);
}

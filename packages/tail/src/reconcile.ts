import { adopt, adoptArchive, AdoptionPolicy } from "./adoption.ts";
import type { AdoptionOptions } from "./adoption.ts";
import { rememberCopy, verify } from "./divergence.ts";
import type { TailEvent } from "./event.ts";
import type { TailTiming } from "./file-source-options.ts";
import type { FoundFile, PathReports } from "./finder.ts";
import type { Generation } from "./generation.ts";
import { inodeKey, isPrefixOf, isSameObject } from "./identity.ts";
import { statPath } from "./open-file.ts";
import type { FileStat, OpenFile } from "./open-file.ts";
import type { Registry } from "./registry.ts";
import { rotationBases } from "./rotation.ts";
import type { ArchiveFile, SurveyedFile } from "./survey.ts";

/** A file may slip through one scan while it is renamed. Two scans in a row: it is gone. */
const SCANS_UNTIL_GONE = 2;

export interface ScanOptions extends AdoptionOptions {
  readonly timing: TailTiming;
  readonly reports: PathReports;
  readonly emit: (event: TailEvent) => void;
  /** Sources whose archives were searched for the open questions of this scan. */
  readonly searched: ReadonlySet<string>;
}

/**
 * Brings the registry in line with what a walk has found. Returns the sources that only their
 * archives can say more of: nothing is adopted or ended of them until those were searched, and a
 * walk after that is reconciled with them as `searched`.
 */
export function reconcile(
  registry: Registry,
  found: readonly FoundFile[],
  options: ScanOptions,
): ReadonlySet<string> {
  return new Scan(registry, found, options).run();
}

class Scan {
  readonly #registry: Registry;
  readonly #options: ScanOptions;
  readonly #policy: AdoptionPolicy;
  readonly #found: readonly FoundFile[];
  readonly #matched = new Map<string, FoundFile>();
  readonly #pathOfInode = new Map<string, string>();
  /** Generations whose file was seen in this scan. */
  readonly #confirmed = new Set<Generation>();
  /** Sources whose archives are to be searched before anything is done about them. */
  readonly #questions = new Set<string>();

  constructor(registry: Registry, found: readonly FoundFile[], options: ScanOptions) {
    this.#registry = registry;
    this.#found = found;
    this.#options = options;
    this.#policy = new AdoptionPolicy(registry, options);
    for (const file of found) {
      this.#matched.set(file.path, file);
      this.#pathOfInode.set(inodeKey(file.stat), file.path);
    }
  }

  run(): ReadonlySet<string> {
    const registry = this.#registry;
    const disturbed = new Set([...registry.notes.pending, ...this.#options.searched]);
    /** What an archive has to be asked about first: the file may have been copied, compressed, cut. */
    const suspects = new Set<Generation>();
    const changed = registry.disk.withNewArchives([...registry.sources.keys()]);
    for (const source of new Set([...changed, ...registry.notes.pending])) {
      if (registry.notes.newArchives(source).length === 0) continue;
      disturbed.add(source);
      const weak = registry.notes.weakInPlace(source);
      const suspect = weak === undefined ? undefined : registry.owner(weak.stat);
      if (suspect !== undefined) suspects.add(suspect);
    }
    for (const generation of registry.known()) {
      if (generation.ending !== undefined) continue;
      const pathBefore = generation.path;
      if (generation.orphanhood === "missing") generation.orphanhood = undefined;
      if (suspects.has(generation)) this.#confirmed.add(generation);
      else if (generation.orphanhood === undefined) this.#track(generation);
      const isQuiet = this.#confirmed.has(generation) && generation.path === pathBefore;
      if (!isQuiet) disturbed.add(generation.source);
    }
    for (const source of disturbed) {
      // Whoever is found under another name now is not missing.
      for (const file of registry.disk.surveyAll(source)) this.#isOwned(file);
    }
    const newcomers = this.#found.filter((file) => !this.#isOwned(file));
    const founders = newcomers.filter((file) => this.#baseOf(file.path) === undefined);
    for (const source of new Set([...disturbed, ...founders.map(({ path }) => path)])) {
      if (this.#isOpenQuestion(source)) this.#questions.add(source);
    }
    for (const source of disturbed) this.#settle(source);
    for (const { path } of founders) this.#settle(path);
    for (const file of newcomers) {
      if (!this.#isOwned(file)) this.#settleLoneSibling(file);
    }
    for (const generation of registry.known()) {
      if (generation.ending === undefined && !this.#questions.has(generation.source)) {
        this.#judge(generation);
      }
    }
    for (const source of registry.sources.values()) {
      if (!this.#questions.has(source.path)) source.restored = false;
    }
    registry.forgetPaths();
    registry.disk.forgetListings();
    if (this.#questions.size === 0) registry.notes.strangers.clear();
    return this.#questions;
  }

  /** A file of the source is missing, or was never seen, and archives may hold it. */
  #isOpenQuestion(source: string): boolean {
    const registry = this.#registry;
    const isPending = registry.notes.pending.delete(source);
    const hasNews = registry.notes.newArchives(source).length > 0;
    if (this.#options.searched.has(source)) return hasNews;
    const known = [...(registry.sources.get(source)?.generations.values() ?? [])];
    if (registry.disk.archives(source).length > 0) {
      for (const generation of known) {
        const { phase, ending, file } = generation;
        const isMissing = phase === "open" && ending === undefined && file === undefined;
        if (isMissing && !this.#confirmed.has(generation)) generation.orphanhood ??= "missing";
      }
    }
    return isPending || hasNews || known.some(({ orphanhood }) => orphanhood !== undefined);
  }

  /** Looks for a known file at the paths where it is likely to be. */
  #track(generation: Generation): void {
    const { path, source, identity } = generation;
    const elsewhere = this.#pathOfInode.get(inodeKey(identity));
    for (const candidate of new Set([path, source, elsewhere])) {
      if (candidate === undefined) continue;
      const stat = this.#stat(candidate, generation);
      if (stat === undefined || inodeKey(stat) !== inodeKey(identity)) continue;
      this.#confirm(generation, { path: candidate, stat });
      return;
    }
    if (generation.file !== undefined) this.#verify(generation, generation.file);
  }

  #verify(generation: Generation, file: OpenFile): boolean {
    const isRight = verify(this.#registry, generation, file);
    // It has moved into a copy of its file, and the copy was seen just now.
    const hasMoved = !isRight && generation.file !== undefined && generation.file !== file;
    if (hasMoved) this.#confirmed.add(generation);
    return isRight;
  }

  /** A path that may not be looked at is no proof that its file is gone. */
  #stat(path: string, generation: Generation): FileStat | undefined {
    try {
      return statPath(path);
    } catch (error) {
      this.#options.reports.unreadable(path, error);
      if (path === generation.path) this.#confirmed.add(generation);
      return undefined;
    }
  }

  /** True where the file with the generation's inode number is still the generation's file. */
  #confirm(generation: Generation, at: SurveyedFile): boolean {
    const registry = this.#registry;
    const isUnchanged =
      generation.wasSeen &&
      generation.mtimeNs === at.stat.mtimeNs &&
      (generation.format !== undefined || generation.sizeBytes === at.stat.sizeBytes) &&
      isSameObject(generation.identity, at.stat);
    // What was closed to save its descriptor stays so until it changes, or leaves its place.
    const isParked = generation.isParked && generation.path === at.path;
    const needsFile = generation.phase === "open" && generation.file === undefined && !isParked;
    if (!isUnchanged || needsFile) {
      const file = generation.file ?? registry.disk.open(at.path, at.stat);
      if (file === undefined) {
        // Unreadable now, or renamed since the look: neither says that it is gone.
        this.#confirmed.add(generation);
        return true;
      }
      generation.path = at.path;
      const isRight = this.#verify(generation, file);
      if (isRight && generation.phase === "open") {
        registry.hold(generation, file);
        if (isParked) generation.wake?.();
      } else if (file !== generation.file) file.close();
      if (!isRight) return false;
    }
    generation.path = at.path;
    this.#confirmed.add(generation);
    const { phase, format, acked } = generation;
    if (phase === "finished" && format === undefined && at.stat.sizeBytes > acked.offset) {
      this.#readLateWrite(generation, at);
    }
    return true;
  }

  #readLateWrite(finished: Generation, found: SurveyedFile): void {
    const { source, acked: from } = finished;
    this.#registry.forget(finished);
    const generation = adopt(this.#registry, { source, found, phase: "open", from });
    if (generation === undefined) {
      this.#registry.add(finished);
      return;
    }
    this.#confirmed.add(generation);
    this.#options.emit({
      kind: "late-write",
      source,
      finished: finished.generation,
      generation: generation.generation,
      path: found.path,
    });
  }

  #isOwned(file: SurveyedFile): boolean {
    const owner = this.#registry.owner(file.stat);
    if (owner === undefined) return false;
    if (this.#confirmed.has(owner)) return isSameObject(owner.identity, file.stat);
    return this.#confirm(owner, file);
  }

  /** Looks at a path and its rotated siblings, the oldest first, and adopts what nobody owns. */
  #settle(path: string): void {
    if (this.#questions.has(path)) return;
    const record = this.#registry.sources.get(path);
    const files = this.#registry.disk.surveyAll(path);
    for (const [index, file] of files.entries()) {
      if (this.#isOwned(file)) continue;
      // Where state was lost, what is older than the known files was shipped before.
      const newer = files.slice(index + 1);
      const isOld =
        record?.restored === true &&
        newer.some((other) => this.#registry.owner(other.stat)?.source === path);
      if (file.format !== undefined) {
        if (!isOld) this.#note(this.#adoptStranger(path, { ...file, format: file.format }));
        continue;
      }
      if (file.path !== path && this.#isBeingCopied(path, file)) continue;
      if (file.path === path) {
        if (this.#matched.has(path))
          this.#note(this.#policy.adopt(path, file, record === undefined));
      } else if (record === undefined) {
        const isMatched = this.#matched.has(file.path);
        this.#note(this.#policy.adoptFirstSibling(path, file, isMatched));
      } else {
        this.#note(this.#policy.adoptSibling(path, file, !isOld));
      }
    }
  }

  /** A file that was made, rotated and compressed between two scans, or while nobody looked. */
  #adoptStranger(source: string, archive: ArchiveFile): Generation | undefined {
    const head = this.#registry.notes.strangers.get(inodeKey(archive.stat));
    if (head === undefined) return undefined;
    return adoptArchive(this.#registry, source, archive, head, { phase: "open" });
  }

  #note(generation: Generation | undefined): void {
    if (generation !== undefined) this.#confirmed.add(generation);
  }

  /** A matched sibling of a file that is in its place: a copy being made of it, or a log of its own. */
  #settleLoneSibling(file: FoundFile): void {
    const base = this.#baseOf(file.path);
    if (base !== undefined && this.#questions.has(base)) return;
    if (base === undefined || !this.#isBeingCopied(base, file)) this.#settle(file.path);
  }

  /** Whether a sibling holds what the file in its place holds, or that file was cut and goes on there. */
  #isBeingCopied(path: string, sibling: SurveyedFile): boolean {
    for (const generation of this.#registry.sources.get(path)?.generations.values() ?? []) {
      if (generation.path !== path || generation.format !== undefined) continue;
      const file = this.#registry.fileOf(generation);
      if (file === undefined) continue;
      // What was renamed away is older than the file that came into its place.
      const { bornNs } = file.stat();
      if (bornNs !== 0n && sibling.stat.bornNs < bornNs) continue;
      // An empty file may become a copy: there is nothing in it to read or to compare.
      if (sibling.stat.sizeBytes === 0) return true;
      if (this.#isCopy(sibling, file)) {
        rememberCopy(this.#registry, generation.source, sibling);
        return true;
      }
      // The cut may have come since the look at the file.
      if (!this.#verify(generation, file) && this.#isOwned(sibling)) return true;
    }
    return false;
  }

  #isCopy(found: FoundFile, original: OpenFile): boolean {
    const copy = this.#registry.disk.open(found.path, found.stat);
    if (copy === undefined) return false;
    const isPrefix = isPrefixOf(copy, original);
    copy.close();
    return isPrefix;
  }

  #baseOf(path: string): string | undefined {
    return rotationBases(path).find(
      (base) => this.#matched.has(base) || this.#registry.sources.has(base),
    );
  }

  /** What it means for a generation where its file was seen, or that it was not. */
  #judge(generation: Generation): void {
    if (generation.orphanhood !== undefined) return;
    const { file, source } = generation;
    const isConfirmed = this.#confirmed.has(generation);
    generation.missedScans = isConfirmed ? 0 : generation.missedScans + 1;
    if (!isConfirmed && file === undefined) {
      if (generation.missedScans < SCANS_UNTIL_GONE) return;
      if (generation.phase === "open") this.#registry.end(generation, "deleted");
      else this.#registry.forget(generation);
      return;
    }
    if (generation.phase !== "open") return;
    if (!isConfirmed) generation.path = undefined;
    const nowMs = this.#options.clock.monotonicMs();
    const { path } = generation;
    const isInPlace =
      path === source ||
      (path !== undefined && this.#matched.has(path) && this.#baseOf(path) === undefined);
    if (isInPlace) generation.rotatedAtMs = undefined;
    else if (generation.rotatedAtMs === undefined) {
      generation.rotatedAtMs = nowMs;
      this.#options.emit({ kind: "rotated", source, generation: generation.generation, path });
      generation.wake?.();
    }
    if (file !== undefined && file.stat().links === 0) {
      generation.deletedAtMs ??= nowMs;
      if (nowMs - generation.deletedAtMs >= this.#options.timing.deletedDeadlineMs) {
        verify(this.#registry, generation, file);
        if (generation.ending === undefined) this.#registry.end(generation, "deadline");
      }
    }
  }
}

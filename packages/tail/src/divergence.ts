import { adopt } from "./adoption.ts";
import { findCopy, wasCutUnseen } from "./copy.ts";
import type { LossReason, TruncatedReason } from "./event.ts";
import type { Generation } from "./generation.ts";
import { grownHead, identify, isSameObject, mismatch, tipOf } from "./identity.ts";
import type { FilePosition, HeadPrint } from "./identity.ts";
import type { FileStat, OpenFile } from "./open-file.ts";
import type { Registry } from "./registry.ts";
import type { SurveyedFile } from "./survey.ts";

/**
 * Compares an open file with what is known of it and notes how it has grown. False where it is
 * not the file that was read: then the generation has moved to a copy, or ended.
 */
export function verify(registry: Registry, generation: Generation, file: OpenFile): boolean {
  const stat = file.stat();
  if (generation.format !== undefined) {
    // What was compressed is not written to any more.
    if (isSameObject(generation.identity, stat)) return true;
    diverge(registry, generation, "replaced");
    return false;
  }
  const isUnchanged =
    generation.mtimeNs === stat.mtimeNs && generation.sizeBytes === stat.sizeBytes;
  if (generation.wasSeen && isUnchanged) return true;
  const reason = wasCutUnseen(registry, generation, file)
    ? "regrown"
    : mismatch(file, stat, generation.identity, generation.position, generation.tip);
  if (reason !== undefined) {
    diverge(registry, generation, reason);
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
export function diverge(registry: Registry, generation: Generation, reason: TruncatedReason): void {
  if (generation.phase !== "open") {
    // For two scans it is still known, so that an archive of it is not read.
    if (registry.disk.archives(generation.source).length > 0) return registry.unindex(generation);
    return registry.forget(generation);
  }
  const { source, position } = generation;
  registry.emit({
    kind: "truncated",
    source,
    generation: generation.generation,
    reason,
    offset: position.offset,
  });
  registry.unindex(generation);
  // Of a file that little is known of, anything may be a copy: archives are older, and come first.
  const asksArchives = generation.isWeak && registry.notes.newArchives(source).length > 0;
  if (!asksArchives && continueInCopy(registry, generation, generation.identity.head, position))
    return;
  lose(registry, generation, reason === "replaced" ? "deleted" : "truncated");
}

/** Its file is no more. Where there are archives, the next scan looks for its content in them. */
export function lose(registry: Registry, generation: Generation, cause: LossReason): void {
  if (registry.disk.archives(generation.source).length === 0)
    return registry.end(generation, cause);
  registry.notes.moved(generation.source);
  registry.unindex(generation);
  generation.closeFile();
  generation.path = undefined;
  generation.format = undefined;
  generation.orphanhood = cause;
}

/** No archive holds it. What was only not found has one more look before it counts as gone. */
export function giveUp(registry: Registry, orphan: Generation): void {
  const { orphanhood, source, generation, identity, position } = orphan;
  orphan.orphanhood = undefined;
  if (orphanhood === undefined || orphanhood === "missing") return;
  if (continueInCopy(registry, orphan, identity.head, position)) return;
  if (orphanhood === "cursor-lost") {
    const detail = "no file and no archive of it holds what was read";
    registry.emit({ kind: "cursor-lost", source, generation, detail });
  }
  registry.end(orphan, orphanhood);
}

/** copytruncate leaves the unread rest in a copy beside the file. */
export function continueInCopy(
  registry: Registry,
  generation: Generation,
  head: HeadPrint,
  position: FilePosition,
): boolean {
  const copy = findCopy(registry, generation, head, position);
  if (copy === undefined) return false;
  const owner = registry.ownerOfObject(copy.found.stat);
  if (!copy.isContinued) {
    copy.file.close();
    if (owner === undefined) rememberCopy(registry, generation.source, copy.found);
    return false;
  }
  moveInto(registry, generation, copy.found, copy.file);
  return true;
}

export function rememberCopy(registry: Registry, source: string, found: SurveyedFile): void {
  adopt(registry, { source, found, phase: "copy", from: endOfFile });
}

/** The generation goes on in another file that holds its bytes: a copy of its own, or an archive. */
export function moveInto(
  registry: Registry,
  generation: Generation,
  found: SurveyedFile,
  file: OpenFile,
): void {
  const owner = registry.owner(found.stat);
  if (owner?.phase === "copy") registry.forget(owner);
  registry.unindex(generation);
  generation.closeFile();
  const stat = file.stat();
  generation.seenBytes = Math.max(generation.seenBytes, generation.sizeBytes);
  registry.hold(generation, file);
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
  registry.index(generation);
  const { source, generation: number } = generation;
  registry.emit({ kind: "recovered", source, generation: number, path: found.path });
  generation.wake?.();
  // The number was that of a file that is gone, and that this scan has not come to yet.
  if (owner !== undefined && owner.phase !== "copy") diverge(registry, owner, "replaced");
}

function endOfFile(_: OpenFile, stat: FileStat): number {
  return stat.sizeBytes;
}

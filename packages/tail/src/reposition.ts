import { err, ok } from "@sluice/quantity";
import type { Result } from "@sluice/quantity";
import type { FileCursor } from "./cursor.ts";
import { continueInCopy, lose } from "./divergence.ts";
import type { Generation } from "./generation.ts";
import { hasContent, isSameObject } from "./identity.ts";
import type { Registry } from "./registry.ts";
import type { CursorLost } from "./source.ts";

/** Moves an open generation to a cursor, wherever the bytes it means are now. */
export function reposition(
  registry: Registry,
  generation: Generation,
  cursor: FileCursor,
): Result<void, CursorLost> {
  registry.notes.moved(generation.source);
  const { position, identity } = cursor;
  if (generation.ending !== undefined) {
    const { endByte } = generation.ending;
    const isPastEnd = endByte !== undefined && position.offset >= endByte;
    if (!isPastEnd) {
      const knownBytes = endByte === undefined ? undefined : endByte - position.offset;
      return cursorLost(registry, generation, "its file is gone", knownBytes);
    }
    generation.moveTo(position);
    return ok(undefined);
  }
  const isElsewhere = generation.orphanhood !== undefined || generation.format !== undefined;
  const file = isElsewhere ? "out-of-reach" : (generation.file ?? registry.reopen(generation));
  if (file === "out-of-reach") {
    // Whoever opens it, or inflates it, compares it with this position.
    generation.moveTo(position);
    return ok(undefined);
  }
  // Of an empty file a cursor knows the inode only, and a scan has compared that.
  if (file !== undefined && hasContent(file, identity.head, position)) {
    generation.moveTo(position);
    return ok(undefined);
  }
  if (continueInCopy(registry, generation, identity.head, position)) {
    generation.moveTo(position);
    return ok(undefined);
  }
  if (registry.disk.archives(generation.source).length > 0) {
    generation.moveTo(position);
    lose(registry, generation, "cursor-lost");
    return ok(undefined);
  }
  const detail =
    file === undefined
      ? `no file has its inode ${identity.ino} and content`
      : `${generation.path ?? "its file"} does not hold what was read before ${position.offset}`;
  const knownBytes = file === undefined ? undefined : bytesSeenBehind(generation, cursor);
  const lost = cursorLost(registry, generation, detail, knownBytes);
  registry.end(generation, "cursor-lost");
  return lost;
}

/** Bytes that this process has seen of the file behind a cursor of it, before the file was cut. */
function bytesSeenBehind(
  { wasSeen, sizeBytes, identity }: Generation,
  cursor: FileCursor,
): number | undefined {
  const { dev, ino, bornNs } = cursor.identity;
  const isItsOwn = dev === identity.dev && ino === identity.ino && bornNs === identity.bornNs;
  const { offset } = cursor.position;
  return wasSeen && isItsOwn && offset <= sizeBytes ? sizeBytes - offset : undefined;
}

/** Whether a cursor is certainly one of another file: its number is this generation's as well. */
export function isForeign(
  { identity, file, format }: Generation,
  { identity: other, position }: FileCursor,
): boolean {
  if (isSameObject(identity, other)) return false;
  if (file !== undefined && format === undefined) return !hasContent(file, other.head, position);
  const [head, otherHead] = [identity.head, other.head];
  return head.length === otherHead.length && head.hash !== otherHead.hash;
}

function cursorLost(
  registry: Registry,
  { source, generation }: Generation,
  detail: string,
  knownBytes: number | undefined,
): Result<never, CursorLost> {
  registry.emit({ kind: "cursor-lost", source, generation, detail });
  return err({ code: "cursor-lost", detail, knownBytes });
}

import type { Generation } from "./generation.ts";
import { hasContent, isAnswer, isPrefixOf, isSameObject, positionAt } from "./identity.ts";
import type { FilePosition, HeadPrint } from "./identity.ts";
import type { OpenFile } from "./open-file.ts";
import type { Registry } from "./registry.ts";
import type { SurveyedFile } from "./survey.ts";

/** A sibling, open, that holds what a generation's file held before it was cut. */
export interface FoundCopy {
  readonly found: SurveyedFile;
  readonly file: OpenFile;
  /** It reaches to the position or past it; else the reader was faster than the cut. */
  readonly isContinued: boolean;
}

/**
 * The oldest sibling that belongs to nobody, or else the newest that is known for a copy, and holds
 * the bytes up to the position, or at least up to a position of an earlier read. Of an empty file,
 * any that has bytes.
 */
export function findCopy(
  registry: Registry,
  generation: Generation,
  head: HeadPrint,
  position: FilePosition,
): FoundCopy | undefined {
  const siblings = registry.disk
    .survey(generation.source)
    .filter(({ path, stat }) => path !== generation.source && stat.sizeBytes > 0);
  const ownerOf = ({ stat }: SurveyedFile): Generation | undefined => registry.ownerOfObject(stat);
  const strangers = siblings.filter((found) => ownerOf(found) === undefined);
  // Older copies are those of older files, which may begin as this one does.
  const copies = siblings.filter((found) => ownerOf(found)?.phase === "copy").toReversed();
  for (const found of [...strangers, ...copies]) {
    const file = registry.disk.open(found.path, found.stat);
    if (file === undefined) continue;
    if (isCopy(file, head, position)) return { found, file, isContinued: true };
    if (generation.marks.some((mark) => mark.offset > 0 && isCopy(file, head, mark))) {
      return { found, file, isContinued: false };
    }
    file.close();
  }
  return undefined;
}

/**
 * A head of a few bytes does not tell a file from itself after it was written, copied and cut; nor
 * does any head tell files that begin alike, where what was noted is older than a copy and a cut.
 * Where the file is in its place and an older sibling that belongs to nobody holds what was seen of
 * it, and goes on in another way, that sibling is the file as it was.
 */
export function wasCutUnseen(registry: Registry, generation: Generation, file: OpenFile): boolean {
  const { phase, identity, source, position, isWeak, wasSeen } = generation;
  // Where the state was lost, older files belong to nobody as well.
  const isRestored = registry.sources.get(source)?.restored === true;
  if (phase !== "open" || (!isWeak && (wasSeen || isRestored))) return false;
  const files = registry.disk.survey(source);
  const current = files.find(({ path }) => path === source);
  if (current === undefined || !isSameObject(identity, current.stat)) return false;
  return files.some((found) => {
    if (registry.ownerOfObject(found.stat) !== undefined) return false;
    // A file that was begun since, and is not in its place yet, was written to last.
    if (found.stat.mtimeNs > current.stat.mtimeNs) return false;
    const sibling = registry.disk.open(found.path, found.stat);
    if (sibling === undefined) return false;
    const wasFile = isCopy(sibling, identity.head, position) && !isPrefixOf(sibling, file);
    sibling.close();
    return wasFile;
  });
}

/** A copy may be shorter than the head that was seen; then its anchor, within 1 KiB, must do. */
function isCopy(file: OpenFile, head: HeadPrint, position: FilePosition): boolean {
  if (file.stat().sizeBytes >= head.length) return hasContent(file, head, position);
  return position.offset > 0 && isAnswer(positionAt(file, position.offset), position);
}

/** How a rotated file's name goes on after the name of the file it was. */
export interface RotationSuffix {
  readonly scheme: "number" | "date";
  /** The number, or the digits of the date and what follows them. */
  readonly order: string;
  /** By name; only an {@link ArchiveFormat} can be read. */
  readonly compression: ArchiveFormat | "xz" | "bz2" | undefined;
}

/** Compressed formats that are read. */
export type ArchiveFormat = "gz" | "zst";

const COMPRESSION = /\.(gz|zst|xz|bz2)$/;
const NUMBER = /^\.(\d{1,6})$/;
// 20261122, 2026-11-22, 2026112203, 20261122-1795000000, 2026-11-22_03.1
const DATE = /^[-._](\d{4}-?\d{2}-?\d{2}[\d\-._T:]*)$/;

/** Undefined where `name` is not a rotated sibling of `base`; both are names within one folder. */
export function rotationSuffix(base: string, name: string): RotationSuffix | undefined {
  if (name.length <= base.length || !name.startsWith(base)) return undefined;
  return parseSuffix(name.slice(base.length));
}

export function isCompressed(name: string): boolean {
  return COMPRESSION.test(name);
}

/** The names that `name` could be a rotated sibling of, the longest first. */
export function rotationBases(name: string): readonly string[] {
  const bases: string[] = [];
  for (let end = name.length - 1; end > 0; end -= 1) {
    if (parseSuffix(name.slice(end)) !== undefined) bases.push(name.slice(0, end));
  }
  return bases;
}

export interface RotatedFile {
  readonly path: string;
  readonly suffix: RotationSuffix;
  readonly mtimeNs: bigint;
}

/**
 * Sorts siblings of one file, the oldest first: by their dates or numbers where all have the same
 * kind, else by the time of their last write. Numbers rise with age, as logrotate gives them,
 * unless the times say that the writer counts upwards.
 */
export function sortOldestFirst<T extends RotatedFile>(files: readonly T[]): T[] {
  const byTime = (a: T, b: T): number => compare(a.mtimeNs, b.mtimeNs) || compare(a.path, b.path);
  const scheme = files[0]?.suffix.scheme;
  if (files.some((file) => file.suffix.scheme !== scheme)) return files.toSorted(byTime);
  if (scheme === "date") {
    return files.toSorted((a, b) => compare(a.suffix.order, b.suffix.order) || byTime(a, b));
  }
  const falling = files.toSorted((a, b) => Number(b.suffix.order) - Number(a.suffix.order));
  const [first, last] = [falling[0], falling.at(-1)];
  const countsUp = first !== undefined && last !== undefined && first.mtimeNs > last.mtimeNs;
  return countsUp ? falling.toReversed() : falling;
}

function parseSuffix(text: string): RotationSuffix | undefined {
  const compression = COMPRESSION.exec(text)?.[1] as RotationSuffix["compression"];
  const plain = compression === undefined ? text : text.slice(0, -compression.length - 1);
  const number = NUMBER.exec(plain)?.[1];
  if (number !== undefined) return { scheme: "number", order: number, compression };
  const date = DATE.exec(plain)?.[1];
  return date === undefined ? undefined : { scheme: "date", order: date, compression };
}

function compare<T extends bigint | string>(a: T, b: T): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

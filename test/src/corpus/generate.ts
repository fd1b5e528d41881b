import { Clock } from "./clock.ts";
import { javaLines } from "./java.ts";
import type { LineSource, Scene } from "./line-source.ts";
import { weighted } from "./line-source.ts";
import { LineWriter } from "./line-writer.ts";
import { Prng } from "./prng.ts";
import { syslogLines } from "./syslog.ts";
import { jsonLines, nginxLines } from "./web-lines.ts";
import { World } from "./world.ts";

const CHUNK_BYTES = 1 << 20;
/** More than the longest event of any template. */
export const EVENT_ROOM_BYTES = 4096;

/** The kinds of log that can be generated; `mix` is all of the others in one stream. */
export const KINDS = ["syslog", "nginx", "json", "java", "mix"] as const;
export type Kind = (typeof KINDS)[number];

/** What to generate. The same options give the same bytes. */
export interface GenerateOptions {
  readonly kind: Kind;
  /** A safe integer. */
  readonly seed: number;
  /** The least number of bytes: the last event is written whole. */
  readonly bytes: number;
  /** Time of the first line at the earliest, microseconds since the epoch. */
  readonly startUs: number;
  /** The mean rate at which the lines' times move on. */
  readonly linesPerSecond: number;
}

/**
 * Log lines in chunks of about 1 MiB, each of whole lines. Throws a RangeError for a size that is
 * not a whole number, a start before 1970 or a rate that is not positive.
 */
export function* generateLines(options: GenerateOptions): Generator<Buffer, void, undefined> {
  const { bytes } = options;
  if (!Number.isSafeInteger(bytes) || bytes < 0)
    throw new RangeError(`bytes must be a whole number, got ${bytes}`);
  const { next } = openSource(options);
  const line = new LineWriter(Buffer.allocUnsafeSlow(CHUNK_BYTES + EVENT_ROOM_BYTES));
  let left = bytes;
  while (left > 0) {
    const limit = Math.min(left, CHUNK_BYTES);
    while (line.at < limit) next(line);
    left -= line.at;
    yield line.take();
  }
}

/**
 * One log, event by event, and the scene that it is drawn from. Throws a RangeError for a start
 * before 1970 or a rate that is not positive.
 */
export function openSource(options: Omit<GenerateOptions, "bytes">): {
  readonly next: LineSource;
  readonly scene: Scene;
} {
  const { kind, seed, startUs, linesPerSecond } = options;
  if (!Number.isSafeInteger(startUs) || startUs < 0)
    throw new RangeError(`startUs must be microseconds since 1970, got ${startUs}`);
  if (!(linesPerSecond > 0))
    throw new RangeError(`linesPerSecond must be positive, got ${linesPerSecond}`);
  const prng = new Prng(seed);
  const clock = new Clock(prng, startUs, linesPerSecond);
  const scene = { prng, clock, world: new World(prng, clock) };
  return { next: sourceOf(kind, scene), scene };
}

function sourceOf(kind: Kind, scene: Scene): LineSource {
  switch (kind) {
    case "syslog":
      return syslogLines(scene);
    case "nginx":
      return nginxLines(scene);
    case "json":
      return jsonLines(scene);
    case "java":
      return javaLines(scene);
    case "mix": {
      const choose = weighted([
        { weight: 5, next: syslogLines(scene) },
        { weight: 2, next: nginxLines(scene) },
        { weight: 2, next: jsonLines(scene) },
        { weight: 1, next: javaLines(scene) },
      ]);
      return (line) => choose(scene.prng).next(line);
    }
    default:
      return kind satisfies never;
  }
}

import { err, ok } from "@sluice/quantity";
import type { Result } from "@sluice/quantity";
import { identityFields, isCount, isObject, parseIdentity, parsePosition } from "./cursor.ts";
import { Generation } from "./generation.ts";
import type { Ending, Phase } from "./generation.ts";
import type { StateInvalid } from "./source.ts";

const STATE_VERSION = 1;

/** Every generation that was seen at one path, and the number of the next one. */
export interface SourceRecord {
  readonly path: string;
  next: number;
  readonly generations: Map<number, Generation>;
  /** Rebuilt from cursors alone: older siblings were shipped before, by a state that is lost. */
  restored: boolean;
}

export interface SourceState {
  /** When the last scan began, ms since the epoch; a younger file cannot have been missed by it. */
  readonly scannedAtMs: number;
  /** Above the numbers of all generations at paths that were forgotten. */
  readonly firstNumber: number;
  readonly sources: ReadonlyMap<string, SourceRecord>;
}

export function encodeState(state: SourceState): unknown {
  return {
    v: STATE_VERSION,
    scannedAtMs: state.scannedAtMs,
    first: state.firstNumber,
    sources: [...state.sources.values()].map((source) => ({
      path: source.path,
      next: source.next,
      generations: [...source.generations.values()].map(encodeGeneration),
    })),
  };
}

function encodeGeneration(generation: Generation): Record<string, unknown> {
  return {
    n: generation.generation,
    phase: generation.phase,
    ...identityFields(generation.identity),
    off: generation.acked.offset,
    anchor: generation.acked.anchor,
    initial: Buffer.from(generation.initialCursor).toString("base64url"),
    size: generation.sizeBytes,
    seen: generation.seenBytes > 0 ? generation.seenBytes : undefined,
    tip:
      generation.acked.offset > 0 || generation.tip === undefined
        ? undefined
        : { off: generation.tip.offset, anchor: generation.tip.anchor },
    path: generation.path,
    format: generation.format,
    ending: generation.ending,
  };
}

export function decodeState(state: unknown): Result<SourceState, StateInvalid> {
  if (!isObject(state)) return invalid("not an object");
  if (state["v"] !== STATE_VERSION) return invalid(`version ${String(state["v"])}`);
  // Older states have forgotten no path.
  const { scannedAtMs, sources, first: firstNumber = 1 } = state;
  if (!isCount(scannedAtMs) || !isCount(firstNumber) || !Array.isArray(sources)) {
    return invalid("fields are missing");
  }
  const records = new Map<string, SourceRecord>();
  for (const source of sources) {
    const record = decodeSource(source);
    if (record === undefined) return invalid(`bad source: ${JSON.stringify(source).slice(0, 200)}`);
    records.set(record.path, record);
  }
  return ok({ scannedAtMs, firstNumber, sources: records });
}

function decodeSource(fields: unknown): SourceRecord | undefined {
  if (!isObject(fields)) return undefined;
  const { path, next, generations } = fields;
  if (typeof path !== "string" || !isCount(next) || !Array.isArray(generations)) return undefined;
  const known = new Map<number, Generation>();
  for (const entry of generations) {
    const generation = decodeGeneration(path, entry);
    if (generation === undefined || generation.generation >= next) return undefined;
    known.set(generation.generation, generation);
  }
  return { path, next, generations: known, restored: false };
}

function decodeGeneration(source: string, fields: unknown): Generation | undefined {
  if (!isObject(fields)) return undefined;
  const identity = parseIdentity(fields);
  const position = parsePosition(fields);
  const { n, phase, size, seen, path, initial } = fields;
  if (identity === undefined || position === undefined) return undefined;
  if (!isCount(n) || !isCount(size) || !isPhase(phase) || typeof initial !== "string") {
    return undefined;
  }
  if (seen !== undefined && !isCount(seen)) return undefined;
  if (path !== undefined && typeof path !== "string") return undefined;
  const tip = isObject(fields["tip"]) ? parsePosition(fields["tip"]) : undefined;
  if (fields["tip"] !== undefined && tip === undefined) return undefined;
  const { format } = fields;
  if (format !== undefined && format !== "gz" && format !== "zst") return undefined;
  const ending = fields["ending"] === undefined ? undefined : decodeEnding(fields["ending"]);
  if (fields["ending"] !== undefined && ending === undefined) return undefined;
  return new Generation({
    source,
    generation: n,
    phase,
    identity,
    position,
    initialCursor: Buffer.from(initial, "base64url"),
    sizeBytes: size,
    seenBytes: seen,
    path,
    tip,
    format,
    ending,
  });
}

function isPhase(value: unknown): value is Phase {
  return value === "open" || value === "finished" || value === "copy";
}

function decodeEnding(fields: unknown): Ending | undefined {
  if (!isObject(fields)) return undefined;
  const { cause, endByte } = fields;
  if (
    cause !== "truncated" &&
    cause !== "deleted" &&
    cause !== "deadline" &&
    cause !== "cursor-lost" &&
    cause !== "corrupt"
  ) {
    return undefined;
  }
  return endByte === undefined || isCount(endByte) ? { cause, endByte } : undefined;
}

function invalid(detail: string): Result<never, StateInvalid> {
  return err({ code: "state-invalid", detail: `state of a file source: ${detail}` });
}

import { setTimeout as delay } from "node:timers/promises";
import type { SearchRun } from "@sluice/store";

import { toApiError } from "./api-error.ts";
import type { FollowEvent } from "./follow.ts";

export interface AnswerOptions {
  /** Chunks are bytes of bodies: a line `{"bodies":N}` says how many follow it. */
  readonly framesBodies: boolean;
  /** Lines `{"progress":{...}}` go between the others while nothing is found. */
  readonly progress: boolean;
  readonly failed: (error: unknown) => void;
}

const PROGRESS_EVERY_MS = 250;

/** A search as it goes over the wire: its chunks, then one last line, `{"end":{...}}` or `{"error":{...}}`. */
export async function* encodeAnswer(
  run: SearchRun,
  { framesBodies, progress, failed }: AnswerOptions,
): AsyncGenerator<Uint8Array> {
  const chunks = run[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = chunks.next();
      if (progress) {
        while (await isSlow(next)) {
          yield line({ progress: run.progress });
        }
      }
      const step = await next;
      if (step.done === true) {
        yield line({ end: await run.summary });
        return;
      }
      if (framesBodies) {
        yield line({ bodies: step.value.length });
      }
      yield step.value;
    }
  } catch (error) {
    yield errorLine(error, failed);
  } finally {
    await chunks.return?.();
  }
}

/** A search that fails does so at once, as a rule: this long its failure may still get a status of its own. */
const EARLY_MS = 200;

/** Waits a moment for a search's first chunk. Its error where it failed instead; else the search, as it was. */
export async function beginAnswer(
  run: SearchRun,
): Promise<{ readonly run: SearchRun } | { readonly error: unknown }> {
  const chunks = run[Symbol.asyncIterator]();
  const first = chunks.next();
  const early = new AbortController();
  const failure = await Promise.race([
    first.then(
      () => undefined,
      (error: unknown) => ({ error }),
    ),
    delay(EARLY_MS, undefined, { signal: early.signal }).catch(() => undefined),
  ]);
  early.abort();
  return (
    failure ?? {
      run: {
        summary: run.summary,
        get progress() {
          return run.progress;
        },
        async *[Symbol.asyncIterator]() {
          try {
            for (let step = await first; step.done !== true; step = await chunks.next()) {
              yield step.value;
            }
          } finally {
            await chunks.return?.();
          }
        },
      },
    }
  );
}

/** A live view as it goes over the wire: rows, and lines `{"cursor":N,"behind":BATCHES}`. */
export async function* encodeFollow(
  events: AsyncGenerator<FollowEvent>,
  failed: (error: unknown) => void,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const event of events) {
      yield event.kind === "rows"
        ? event.bytes
        : line({ cursor: event.cursor, behind: event.behind });
    }
  } catch (error) {
    yield errorLine(error, failed);
  }
}

function errorLine(error: unknown, failed: (error: unknown) => void): Uint8Array {
  const said = toApiError(error);
  if (said.code === "internal") {
    failed(error);
  }
  return line({ error: said });
}

/** Whether a chunk lets wait for itself. Its rejection is left to who awaits it. */
async function isSlow(next: Promise<unknown>): Promise<boolean> {
  const timer = new AbortController();
  const settled = next.then(
    () => false,
    () => false,
  );
  const slow = delay(PROGRESS_EVERY_MS, true, { signal: timer.signal }).catch(() => false);
  try {
    return await Promise.race([settled, slow]);
  } finally {
    timer.abort();
  }
}

function line(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

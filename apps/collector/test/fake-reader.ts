import type { SearchRequest, SearchRun, SearchSummary, StoreReader } from "@sluice/store";

export const SUMMARY: SearchSummary = {
  rows: 0,
  elapsedMs: 1,
  highWater: 0,
  version: 1,
  blocksRead: 2,
  blocksTotal: 3,
  bytesRead: 4,
  damaged: 0,
  plan: {
    streamsTotal: 1,
    streamsLeft: 1,
    segmentsTotal: 2,
    segmentsLeft: 1,
    blocksTotal: 9,
    blocksInTimeRange: 7,
    blocksOfSeverity: 6,
    blocksWithWords: 3,
    blocksCounted: 1,
    blocksLeft: 2,
    phasesMs: { plan: 0, read: 0, scan: 0, render: 0 },
  },
};

/** A search's answer as a test writes it: chunks, or an error to end with. */
export type Script = (
  request: SearchRequest,
  signal: AbortSignal,
) => AsyncGenerator<string | Uint8Array, void>;

/** The reading side of a store that answers by a script. */
export class FakeReader implements Pick<StoreReader, "search" | "highWater"> {
  readonly requests: SearchRequest[] = [];
  readonly signals: AbortSignal[] = [];
  highWater = 0;
  readonly #script: Script;

  constructor(script: Script) {
    this.#script = script;
  }

  /** The whole of the interface, for parts that use only some of it. */
  get reader(): StoreReader {
    return this as unknown as StoreReader;
  }

  search(request: SearchRequest, signal: AbortSignal): SearchRun {
    this.requests.push(request);
    this.signals.push(signal);
    const script = this.#script(request, signal);
    const summary = Promise.withResolvers<SearchSummary>();
    summary.promise.catch(() => undefined);
    return {
      summary: summary.promise,
      progress: SUMMARY,
      async *[Symbol.asyncIterator]() {
        let rows = 0;
        try {
          for await (const part of script) {
            rows += 1;
            yield Buffer.from(part as string);
          }
          summary.resolve({ ...SUMMARY, rows });
        } catch (error) {
          summary.reject(error);
          throw error;
        }
      },
    };
  }
}

import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { canBePartial, parseQuery, type Query } from "@sluice/query";

import { StoreError } from "../errors.ts";
import { describeSqliteError, openHeadForReading } from "../head/head-file.ts";
import { Lease } from "../manifest/lease.ts";
import { manifestVersion, segmentsAt } from "../manifest/manifest.ts";
import { Visibility } from "../manifest/visibility.ts";
import { SegmentCache } from "../segment/segment-cache.ts";
import { SegmentError } from "../segment/segment-error.ts";
import { yieldToOthers } from "../thread.ts";
import { claimer, type GroupShare, groupShare, isLarge, mergeShares } from "./group-search.ts";
import { PAGE_LIFE_MS, versionOfPage } from "./page-token.ts";
import { DecodedCache } from "./run-reader.ts";
import { type RenderedPage, runSearch } from "./search-engine.ts";
import { PAGE_EXPIRED, SearchError } from "./search-error.ts";
import { CHUNKS_IN_FLIGHT, type SearchCommand, type SearchReply } from "./search-messages.ts";
import {
  type PlannedSearch,
  planSearch,
  type SearchControl,
  type SearchParts,
} from "./search-plan.ts";
import type { SearchProgress, SearchRequest, SearchSummary } from "./search-request.ts";

/** Between two messages about progress. */
const PROGRESS_EVERY_MS = 200;

/** A segment may go away between the manifest and its opening where no lease could hold it: then the search is planned once more. */
const MOST_PLANS = 5;

/** How long the space of a segment that was removed is held by a thread that has it open and nothing to do. */
const LET_GO_AFTER_MS = 2_000;

/** Commits, and the event loop that all clients share, go first. */
const NICENESS = 10;

type Start = Extract<SearchCommand, { kind: "start" }>;
type Share = Extract<SearchCommand, { kind: "share" }>;

/** One search at a time, away from the event loop; its user's patterns can hang nothing but this. */
class SearchThread {
  readonly #dataDir: string;
  readonly #parts: SearchParts;
  readonly #reply: (reply: SearchReply, transfer?: ArrayBuffer[]) => void;
  #running = 0;
  #isIdle = true;
  #inFlight = 0;
  #wake: (() => void) | undefined;
  #helped: ((share: GroupShare | undefined) => void) | undefined;

  constructor(dataDir: string, reply: (reply: SearchReply, transfer?: ArrayBuffer[]) => void) {
    this.#dataDir = dataDir;
    this.#parts = {
      db: openHeadForReading(join(dataDir, "head.db")),
      segments: new SegmentCache(dataDir),
      cache: new DecodedCache(),
    };
    this.#reply = reply;
    setInterval(() => this.#letGo(), LET_GO_AFTER_MS).unref();
  }

  receive(command: SearchCommand): void {
    switch (command.kind) {
      case "start":
        void this.#run(command.id, () => this.#search(command));
        return;
      case "share":
        void this.#run(command.id, () => this.#share(command));
        return;
      case "helped":
        if (command.id === this.#running) {
          this.#helped?.(command.share);
        }
        return;
      case "more":
        // What a consumer takes of a search that has ended says nothing of the one that runs.
        if (command.id === this.#running) {
          this.#inFlight -= 1;
          this.#wake?.();
        }
        return;
      default:
        command satisfies never;
    }
  }

  async #run(id: number, work: () => Promise<void>): Promise<void> {
    this.#running = id;
    this.#isIdle = false;
    this.#inFlight = 0;
    try {
      await work();
    } catch (error) {
      const { code, message, query } = toSearchError(error, join(this.#dataDir, "head.db"));
      this.#reply({ kind: "error", id, code, message, query });
    }
    this.#isIdle = this.#running === id;
  }

  /** A file that is unlinked and still open is on the disk as before: pruned bytes, and deleted lines. */
  #letGo(): void {
    const { db, segments } = this.#parts;
    if (this.#isIdle && segments.size > 0) {
      try {
        segments.retain(new Set(segmentsAt(db, manifestVersion(db)).map(({ path }) => path)));
      } catch {
        // The head cannot be read at the moment: the next search says why.
      }
    }
  }

  async #search(start: Start): Promise<void> {
    const summary = await this.#answer(start);
    // The lease is given back by now: once the end is known, this thread may be ended at any moment.
    this.#reply({ kind: "end", id: start.id, summary });
  }

  async #answer({ id, request, cancelled }: Start): Promise<SearchSummary> {
    const flag = new Int32Array(cancelled);
    const query = readQuery(request);
    // Until its time has run out at the latest, which a search that was killed cannot say.
    using _lease = this.#lease(request);
    let progress: SearchProgress = { blocksRead: 0, blocksTotal: 0, bytesRead: 0 };
    const control = this.#control(id, request, flag, (now) => (progress = now));
    const search = this.#plan(request, query, control);
    const pages = canBePartial(query.stages)
      ? mergeShares(search, await this.#shares(id, search))
      : runSearch(search);
    for (;;) {
      const step = pages.next();
      if (step.done === true) {
        this.#keepPage(step.value);
        return step.value;
      }
      await this.#send(id, step.value, progress, flag);
    }
  }

  /** This thread's share of a search that is another one's. */
  async #share({ id, request, moment, counter, cancelled }: Share): Promise<void> {
    const control = this.#control(id, request, new Int32Array(cancelled), () => undefined);
    const at = { ...moment, visibility: new Visibility(moment.visibility) };
    const search = planSearch(this.#parts, request, readQuery(request), control, at);
    const share = groupShare(search, claimer(new Int32Array(counter)));
    this.#reply({ kind: "shared", id, share });
    return Promise.resolve();
  }

  async #shares(id: number, search: PlannedSearch): Promise<GroupShare[]> {
    const counter = new SharedArrayBuffer(4);
    const claim = claimer(new Int32Array(counter));
    if (!isLarge(search)) {
      return [groupShare(search, claim)];
    }
    const { promise, resolve } = Promise.withResolvers<GroupShare | undefined>();
    this.#helped = resolve;
    const { version, highWater, visibility } = search.catalog.moment;
    const moment = { version, highWater, visibility: visibility.text };
    this.#reply({ kind: "help", id, moment, counter });
    const own = groupShare(search, claim);
    const other = await promise;
    this.#helped = undefined;
    return other === undefined ? [own] : [own, other];
  }

  #plan(request: SearchRequest, query: Query, control: SearchControl): PlannedSearch {
    for (let plans = 1; ; plans++) {
      try {
        return planSearch(this.#parts, request, query, control);
      } catch (error) {
        const isGone = error instanceof SegmentError && error.code === "gone";
        if (isGone && request.page !== undefined) {
          // The collector was started anew since: leases are not looked at then.
          throw new SearchError("page-expired", PAGE_EXPIRED);
        }
        if (!isGone || plans === MOST_PLANS) {
          throw error;
        }
      }
    }
  }

  /** Of what the search is going to see: a page that goes on sees what the one before saw. */
  #lease({ page, deadlineMs }: SearchRequest): Lease {
    const now = manifestVersion(this.#parts.db);
    const version = page === undefined ? now : Math.min(now, versionOfPage(page) ?? now);
    return Lease.take(this.#dataDir, version, Date.now() + deadlineMs);
  }

  #keepPage({ nextPage, version }: SearchSummary): void {
    if (nextPage !== undefined) {
      // Nobody gives this one back: its page may be followed until then.
      Lease.take(this.#dataDir, version, Date.now() + PAGE_LIFE_MS);
    }
  }

  #control(
    id: number,
    { deadlineMs }: SearchRequest,
    cancelled: Int32Array,
    take: (progress: SearchProgress) => void,
  ): SearchControl {
    const endsAtMs = performance.now() + deadlineMs;
    let reportedMs = performance.now();
    return {
      checkpoint: () => {
        if (Atomics.load(cancelled, 0) !== 0) {
          throw new SearchError("cancelled", "the search was cancelled");
        }
        if (performance.now() > endsAtMs) {
          throw new SearchError("deadline", deadlineMessage(deadlineMs));
        }
      },
      progress: (progress) => {
        take(progress);
        if (performance.now() - reportedMs > PROGRESS_EVERY_MS) {
          reportedMs = performance.now();
          this.#reply({ kind: "progress", id, progress });
        }
      },
    };
  }

  /** Waits until the consumer has taken enough; a cancelled search does not wait. */
  async #send(
    id: number,
    { bytes }: RenderedPage,
    progress: SearchProgress,
    cancelled: Int32Array,
  ): Promise<void> {
    this.#inFlight += 1;
    const isWhole = bytes.byteLength === bytes.buffer.byteLength;
    const transfer = isWhole ? [bytes.buffer as ArrayBuffer] : [];
    this.#reply({ kind: "chunk", id, bytes, progress }, transfer);
    while (this.#inFlight >= CHUNKS_IN_FLIGHT && Atomics.load(cancelled, 0) === 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }
}

function readQuery({ query: text }: SearchRequest): Query {
  const query = parseQuery(text);
  if (!query.ok) {
    throw new SearchError("query-invalid", query.error.message, query.error);
  }
  return query.value;
}

function toSearchError(error: unknown, path: string): SearchError {
  if (error instanceof SearchError) {
    return error;
  }
  const described = describeSqliteError(error, path);
  const isDamage =
    (described instanceof StoreError && described.code === "data-corrupt") ||
    (described instanceof SegmentError && described.code === "damaged");
  const message = described instanceof Error ? described.message : String(described);
  return new SearchError(isDamage ? "damaged" : "failed", message);
}

function deadlineMessage(deadlineMs: number): string {
  return `the search did not end within ${deadlineMs / 1000} s: narrow it with --since or --until, or a simpler pattern`;
}

const port = parentPort;
if (port !== null) {
  const { dataDir } = workerData as { dataDir: string };
  yieldToOthers(NICENESS);
  const thread = new SearchThread(dataDir, (reply, transfer) => port.postMessage(reply, transfer));
  port.on("message", (command: SearchCommand) => thread.receive(command));
}

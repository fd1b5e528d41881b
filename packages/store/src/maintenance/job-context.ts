import type { HeadDatabase } from "../head/head-file.ts";
import type { SegmentEntry } from "../manifest/manifest.ts";
import type { Swap, SwapResult } from "../manifest/swap.ts";
import type { StreamDescription } from "../segment/segment-writer.ts";

/** What a job of the maintenance thread works with. */
export interface JobContext {
  readonly dataDir: string;
  /** For reading, and never for long: a snapshot that is held keeps the WAL from being folded in. */
  readonly db: HeadDatabase;
  /** Has the writer write down which files are about to get their names. */
  readonly announce: (paths: readonly string[]) => Promise<void>;
  /** Has the writer carry out a swap. */
  readonly swap: (swap: Swap) => Promise<SwapResult>;
  /** Unlinks files whose swap failed, when it is certain that it was not carried out. */
  readonly discard: (paths: readonly string[]) => void;
  /** Lets messages in; throws to end the job. Called between blocks. */
  readonly checkpoint: () => Promise<void>;
  readonly nowUs: () => number;
  /** A segment cannot be opened at all: it stays as it is, and no job takes it up again. */
  readonly unreadable: (entry: SegmentEntry, reason: Error) => void;
  /** Something that could not be read was moved aside, and the job went on. */
  readonly quarantined: (what: string) => void;
}

/** The job was asked to end: nothing of it counts. */
export class JobStopped extends Error {
  constructor() {
    super("the job was stopped");
    this.name = "JobStopped";
  }
}

/** Names of all streams of the head, by id. */
export function describeStreams(db: HeadDatabase): Map<number, StreamDescription> {
  const rows = db
    .prepare(
      `SELECT streams.id AS streamId, agents.agent_id AS agentId, source, generation, streams.host, streams.labels
       FROM streams JOIN agents ON agents.id = streams.agent`,
    )
    .all() as StreamDescription[];
  return new Map(rows.map((row) => [row.streamId, row]));
}

/** UTC day of a receipt time, `YYYY-MM-DD`. */
export function dayOf(receivedUs: number): string {
  return new Date(receivedUs / 1000).toISOString().slice(0, 10);
}

/** Highest id of a delete so far: what a job that begins now takes into account. */
export function lastDelete(db: HeadDatabase): number {
  return Number(db.prepare("SELECT max(id) FROM deletes").pluck().get() ?? 0);
}

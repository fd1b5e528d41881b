import type { HeadDatabase } from "../head/head-file.ts";
import type { SegmentStream } from "../manifest/manifest.ts";
import { insertSegment } from "../manifest/swap.ts";
import { nextManifestVersion } from "../manifest/manifest.ts";
import type { StreamDescription } from "../segment/segment-writer.ts";
import { sumOfRuns } from "./runs-sum.ts";
import type { Survey, SurveyedSegment } from "./segment-survey.ts";

/** Ids of batches that the lost head may have given out beyond those that segments tell of. */
const LOST_BATCH_IDS = 1_000_000;

/** All that segments tell of a stream. */
interface StreamTrace {
  /** As the newest of them names it. */
  stream: StreamDescription;
  lastBatch: number;
  lastSeq: number;
  lastTimeUs: number;
  firstReceivedUs: number;
  lastReceivedUs: number;
  records: number;
  bodyBytes: number;
}

/** Writes what segments tell into a new head, inside the caller's transaction. */
export class RebuiltManifest {
  readonly #db: HeadDatabase;

  constructor(db: HeadDatabase) {
    this.#db = db;
  }

  write({ segments }: Survey): { streams: number; records: number } {
    const traces = traceStreams(segments);
    const agents = this.#writeAgents(traces);
    this.#writeStreams(traces, agents);
    const version = nextManifestVersion(this.#db);
    for (const segment of segments) {
      insertSegment(this.#db, { ...segment, streams: sharesOf(segment) }, version);
    }
    const lastBatch = Math.max(...segments.map((segment) => segment.lastBatch));
    this.#db
      .prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('batches', ?)")
      .run(lastBatch + LOST_BATCH_IDS);
    return {
      streams: traces.size,
      records: segments.reduce((sum, { records }) => sum + records, 0),
    };
  }

  /** Returns their ids in the head by agent id. */
  #writeAgents(traces: ReadonlyMap<number, StreamTrace>): Map<string, number> {
    const insert = this.#db
      .prepare(
        `INSERT INTO agents (agent_id, host, version, labels, first_seen_us, last_seen_us)
         VALUES (?, ?, '', ?, ?, ?) RETURNING id`,
      )
      .pluck();
    const ids = new Map<string, number>();
    const byAgent = Map.groupBy(traces.values(), ({ stream }) => stream.agentId);
    for (const [agentId, own] of byAgent) {
      const newest = own.reduce((a, b) => (b.lastBatch > a.lastBatch ? b : a)).stream;
      const firstSeenUs = Math.min(...own.map(({ firstReceivedUs }) => firstReceivedUs));
      const lastSeenUs = Math.max(...own.map(({ lastReceivedUs }) => lastReceivedUs));
      const id = insert.get(agentId, newest.host, newest.labels, firstSeenUs, lastSeenUs);
      ids.set(agentId, id as number);
    }
    return ids;
  }

  /** Under the ids that their runs bear. */
  #writeStreams(
    traces: ReadonlyMap<number, StreamTrace>,
    agents: ReadonlyMap<string, number>,
  ): void {
    const insert = this.#db.prepare(
      `INSERT INTO streams (id, agent, source, generation, host, labels, epoch, ordinal, next_seq, cursor,
         records, body_bytes, last_time_us, last_received_us, is_rebuilt)
       VALUES (?, ?, ?, ?, ?, ?, 1, 0, ?, x'', ?, ?, ?, ?, 1)`,
    );
    for (const [id, { stream, ...trace }] of traces) {
      insert.run(
        id,
        agents.get(stream.agentId),
        stream.source,
        stream.generation,
        stream.host,
        stream.labels,
        trace.lastSeq + 1,
        trace.records,
        trace.bodyBytes,
        trace.lastTimeUs,
        trace.lastReceivedUs,
      );
    }
  }
}

function traceStreams(segments: readonly SurveyedSegment[]): Map<number, StreamTrace> {
  const traces = new Map<number, StreamTrace>();
  for (const { runs, streams } of segments) {
    const names = new Map(streams.map((stream) => [stream.streamId, stream]));
    for (const run of runs) {
      const stream = names.get(run.streamId) as StreamDescription;
      const trace = traces.get(run.streamId);
      if (trace === undefined) {
        traces.set(run.streamId, {
          stream,
          lastBatch: run.lastBatch,
          lastSeq: run.lastSeq,
          lastTimeUs: run.maxTimeUs,
          firstReceivedUs: run.firstReceivedUs,
          lastReceivedUs: run.lastReceivedUs,
          records: run.count,
          bodyBytes: run.bodyBytes,
        });
        continue;
      }
      trace.records += run.count;
      trace.bodyBytes += run.bodyBytes;
      trace.firstReceivedUs = Math.min(trace.firstReceivedUs, run.firstReceivedUs);
      trace.lastReceivedUs = Math.max(trace.lastReceivedUs, run.lastReceivedUs);
      if (run.lastBatch >= trace.lastBatch) {
        trace.stream = stream;
        trace.lastBatch = run.lastBatch;
      }
      if (run.lastSeq > trace.lastSeq) {
        trace.lastSeq = run.lastSeq;
        trace.lastTimeUs = run.maxTimeUs;
      }
    }
  }
  return traces;
}

/** Each stream's share of a segment; of the file's bytes, by what its bodies take. */
function sharesOf(segment: SurveyedSegment): SegmentStream[] {
  return Array.from(
    Map.groupBy(segment.runs, ({ streamId }) => streamId),
    ([streamId, runs]) => {
      const sum = sumOfRuns(runs);
      const bytes = Math.round((sum.bodyBytes / segment.bodyBytes) * segment.bytes);
      return { streamId, ...sum, bytes };
    },
  );
}

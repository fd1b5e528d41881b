import type { AgentEvent } from "../agent-event.ts";
import type { Checkpoints } from "../checkpoints.ts";
import type { StreamWorker } from "../stream-worker.ts";
import { ConnectionMeter } from "./connection-meter.ts";
import { FinishedLedger } from "./finished-ledger.ts";
import { ProcessingCounters } from "./processing-counters.ts";
import { SourceCounters } from "./source-counters.ts";
import type { AckedAmount } from "./stream-meter.ts";
import { TroubleList } from "./trouble-list.ts";

/** How the state names the accounts of finished streams. */
const FINISHED_STATE = "finished-ledger";

/** What an agent measures of itself, but for its unfinished streams, which have meters of their own. */
export class AgentMeter {
  readonly startedAtMs: number;
  readonly connection: ConnectionMeter = new ConnectionMeter();
  readonly counters: SourceCounters = new SourceCounters();
  readonly processing: ProcessingCounters = new ProcessingCounters();
  readonly troubles: TroubleList = new TroubleList();
  readonly finished: FinishedLedger;
  #gaps = 0;

  constructor(checkpoints: Checkpoints, startedAtMs: number) {
    this.startedAtMs = startedAtMs;
    this.finished = new FinishedLedger(checkpoints.source(FINISHED_STATE));
    checkpoints.attach(FINISHED_STATE, () => this.finished.snapshot());
  }

  /** Losses that were recorded since the start; one that has to be sent again counts again. */
  get gaps(): number {
    return this.#gaps;
  }

  gapSent(): void {
    this.#gaps += 1;
  }

  note(event: AgentEvent, clockMs: number): void {
    this.troubles.note(event, clockMs);
    if (event.kind === "connected") {
      this.connection.connected(event.url, clockMs);
    } else if (event.kind === "disconnected") {
      this.connection.disconnected(event, clockMs);
    }
  }

  /** An ack has moved a stream on. */
  moved(worker: StreamWorker, amount: AckedAmount, finished: boolean): void {
    const { source } = worker.stream;
    this.counters.add(source, amount);
    if (finished) {
      this.finished.add(source, worker.meter.account);
    }
  }
}

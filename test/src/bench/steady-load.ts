import { setTimeout as sleep } from "node:timers/promises";

import type { CorpusStream } from "./corpus-plan.ts";
import type { BatchDraft } from "./corpus-thread.ts";
import { LoadAgent } from "./load-agent.ts";
import type { MeasuredServer } from "./measured-server.ts";

/** Agents that send without a pause, but no faster than asked. */
export class SteadyLoad implements AsyncDisposable {
  readonly #agents: ReadonlyMap<number, LoadAgent>;
  readonly #sending: Promise<unknown>;
  #isStopped = false;
  sentBytes = 0;
  failure: Error | undefined;

  private constructor(
    agents: ReadonlyMap<number, LoadAgent>,
    drafts: readonly BatchDraft[],
    rateBytes: number,
  ) {
    this.#agents = agents;
    this.#sending = this.#send(drafts, rateBytes).catch((error: unknown) => {
      this.failure = error instanceof Error ? error : new Error(String(error));
    });
  }

  static async start(
    server: MeasuredServer,
    streams: readonly CorpusStream[],
    drafts: readonly BatchDraft[],
    rateBytes: number,
  ): Promise<SteadyLoad> {
    const agents = new Map<number, LoadAgent>();
    const token = await server.token("ingest");
    for (const [host, ofHost] of Map.groupBy(streams, (stream) => stream.host)) {
      const agent = await LoadAgent.connect(server.url, token, host, ofHost);
      for (const { stream } of ofHost) agents.set(stream, agent);
    }
    return new SteadyLoad(agents, drafts, rateBytes);
  }

  get resets(): number {
    return [...new Set(this.#agents.values())].reduce((sum, { resets }) => sum + resets, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    await this.#sending;
    for (const agent of new Set(this.#agents.values())) await agent[Symbol.asyncDispose]();
  }

  async #send(drafts: readonly BatchDraft[], rateBytes: number): Promise<void> {
    let dueMs = performance.now();
    for (let i = 0; !this.#isStopped; i = (i + 1) % drafts.length) {
      const draft = drafts[i];
      if (draft === undefined) return;
      await sleep(Math.max(0, dueMs - performance.now()));
      await this.#agents.get(draft.stream)?.send(draft);
      this.sentBytes += draft.textBytes;
      // What was held back is not made up for: the rate is what agents offer.
      dueMs = Math.max(dueMs, performance.now() - 1000) + (draft.textBytes / rateBytes) * 1000;
    }
  }
}

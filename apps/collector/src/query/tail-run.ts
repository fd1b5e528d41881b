import { EXIT, Failure } from "@sluice/service";

import { type TailNotice, tailLines } from "./live-tail.ts";
import type { QueryPlan } from "./query-plan.ts";
import { runQuery } from "./query-run.ts";
import type { Reading } from "../commands/reading-command.ts";

/**
 * Prints what is there, then what arrives, until it is interrupted.
 *
 * @throws Failure for a query or a format that needs an end
 */
export async function runTail(reading: Reading): Promise<number> {
  const { source, plan, printer, sink, signal } = reading;
  checkEndless(plan);
  const { highWater } = await runQuery(reading);
  const lines = tailLines({
    source,
    query: plan.request.query,
    from: highWater,
    notice: (notice) => process.stderr.write(`sluice: ${sentence(notice)}\n`),
    signal,
  });
  for await (const chunk of lines) {
    printer.print(chunk);
    printer.end();
    await sink.drained();
  }
  signal.throwIfAborted();
  return EXIT.ok;
}

function checkEndless({ query, format }: QueryPlan): void {
  const stage = query.stages.find(({ kind }) => kind !== "fields");
  if (stage !== undefined || format === "json") {
    throw new Failure(
      `${stage?.kind ?? "-o json"} needs an end, and a live view has none`,
      stage === undefined ? "take -o jsonl" : "follow with a filter alone, or use `sluice query`",
      EXIT.usage,
    );
  }
}

function sentence(notice: TailNotice): string {
  switch (notice.kind) {
    case "reconnecting":
      return `${notice.reason}; trying again`;
    case "reconnected":
      return "connected again; nothing was missed";
    case "behind":
      return `behind by ${notice.batches} batches`;
    case "caught-up":
      return "caught up";
    default:
      return notice satisfies never;
  }
}

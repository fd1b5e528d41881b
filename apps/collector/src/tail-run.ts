import { EXIT } from "@sluice/config";

import { type TailNotice, tailLines } from "./live-tail.ts";
import type { LogSource } from "./log-source.ts";
import { type QueryRun, runQuery } from "./query-run.ts";

/** Prints what is there, then what arrives, until it is interrupted. */
export async function runTail(run: QueryRun, source: LogSource): Promise<number> {
  const { plan, printer, sink, signal } = run;
  const { highWater } = await runQuery(run);
  const lines = tailLines({
    source,
    query: plan.request.query,
    from: highWater,
    notice: (notice) => process.stderr.write(`sluice: ${sentence(notice)}\n`),
    signal,
  });
  for await (const chunk of lines) {
    printer.print(chunk);
    await sink.drained();
  }
  signal.throwIfAborted();
  return EXIT.ok;
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

import { EXIT, wantsColor } from "@sluice/service";

import { resolveTarget, type TargetOptions } from "../client/context.ts";
import { type LogSource, openLogSource } from "../client/log-source.ts";
import { createPrinter } from "../output/printer.ts";
import { isClosedPipe, Sink } from "../output/sink.ts";
import type { QueryPlan } from "../query/query-plan.ts";
import type { QueryRun } from "../query/query-run.ts";
import { report } from "../report.ts";

/** As grep's for an error; 1 is "nothing found". */
const READING_FAILED = 2;

/** The shell's code for a process that SIGINT ended. */
const INTERRUPTED = 130;

export interface ReadingOptions extends TargetOptions {
  readonly color?: boolean | undefined;
}

/** What a command that prints records works with. */
export interface Reading extends QueryRun {
  readonly source: LogSource;
}

/**
 * Runs a command that prints records, and gives its exit code. Ctrl-C stops the work also in the
 * collector; a reader of the output that has seen enough ends it quietly.
 */
export async function runReading(
  options: ReadingOptions,
  makePlan: (isTerminal: boolean) => QueryPlan,
  read: (reading: Reading) => Promise<number>,
): Promise<number> {
  const isTerminal = process.stdout.isTTY;
  const sink = new Sink(process.stdout);
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.once("SIGINT", interrupt); // a second one ends the process at once
  try {
    const plan = makePlan(isTerminal);
    await using source = openLogSource(await resolveTarget(options, process.env));
    const hasColor = wantsColor({ flag: options.color, env: process.env, isTerminal });
    const printer = createPrinter({
      ...plan,
      sink,
      isTerminal,
      hasColor,
      nowMs: Date.now(),
      filter: plan.query.filter,
    });
    const signal = AbortSignal.any([interrupted.signal, sink.closed]);
    const isWatched = process.stderr.isTTY;
    return await read({ source, plan, printer, sink, hasColor, signal, isWatched });
  } catch (error) {
    if (interrupted.signal.aborted) {
      return INTERRUPTED;
    }
    if (isClosedPipe(sink.closed.reason)) {
      return EXIT.ok;
    }
    report(sink.closed.aborted ? sink.closed.reason : error);
    return READING_FAILED;
  } finally {
    process.off("SIGINT", interrupt);
  }
}

/** commander's output, with advice for a filter that looks like a flag. */
export const FILTER_OUTPUT: {
  readonly outputError: (text: string, write: (text: string) => void) => void;
} = {
  outputError: (text, write) => {
    write(text);
    if (text.includes("unknown option")) {
      write("  a filter that begins with - goes behind --: sluice query -- '-healthcheck'\n");
    }
  },
};

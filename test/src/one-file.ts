import { join } from "node:path";

import { ChaosProxy } from "./chaos/chaos-proxy.ts";
import { Prng } from "./corpus/prng.ts";
import { accountForLines } from "./kill/line-account.ts";
import { LogWriter } from "./log-writer.ts";
import { NumberedLines } from "./numbered-lines.ts";
import type { ServiceProcess } from "./process.ts";
import { Site } from "./site.ts";
import { StoredData } from "./stored.ts";

/** A collector, an agent behind a chaos proxy, and one log that is being written. */
export interface OneFile {
  readonly site: Site;
  readonly proxy: ChaosProxy;
  readonly agent: ServiceProcess;
  readonly writer: LogWriter;
}

/** Starts them, hands them to `use`, and ends them whatever happens. */
export async function withOneFile(use: (parts: OneFile) => Promise<void>): Promise<void> {
  await using site = new Site();
  const { port } = await site.startCollector();
  await using proxy = await ChaosProxy.start(port);
  using writer = new LogWriter({
    path: join(site.logDir, "app.log"),
    lines: new NumberedLines(0, 100),
    random: new Prng(7),
    rotateEvery: Number.POSITIVE_INFINITY,
  });
  const agent = await site.startAgent({ port: proxy.port, files: [writer.path] });
  await use({ site, proxy, agent, writer });
}

/**
 * Waits until everything is stored.
 *
 * @returns what is wrong with it, in sentences: lost, doubled or moved lines, and gaps
 */
export async function storedProblems(
  { site, writer }: OneFile,
  withinMs?: number,
): Promise<string[]> {
  await site.untilStored(writer.written, withinMs);
  using data = StoredData.open(site.dataDir);
  return [
    ...accountForLines(writer.path, data.batches(writer.path), writer.lines, writer.written),
    ...data.gaps().map(({ cause }) => `a gap: ${cause}`),
  ];
}

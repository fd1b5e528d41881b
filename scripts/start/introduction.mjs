/** What `npm start` says once the logs that were there are shipped: how fast, where, and what to type next. */
import { dirname, join, relative, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { styleText } from "node:util";

import { formatBytes, formatRate, plural, rateBetween } from "./figure-text.mjs";
import { findFilter, frequentWords } from "./suggestion.mjs";

const ROOT = resolve(import.meta.dirname, "../..");
const POLL_MS = 200;
const UPDATE_MS = 1_000;
/** The commands are printed now at the latest, however much is still to be shipped. */
const WITHIN_MS = 10_000;
/** Nothing more came for this long, though some bytes are outstanding: an unfinished last line. */
const SETTLED_AFTER_MS = 2_000;

/**
 * @typedef {object} Introduction
 * @property {import("./state-folder.mjs").StateFolder} folder
 * @property {() => Promise<import("./figures.mjs").Figures | undefined>} read
 * @property {import("./status.mjs").Status} status
 * @property {{records: number, bytes: number}} baseline what was stored before
 * @property {number} startMs when the agent began, on the monotonic clock
 * @property {string[]} paths of the files that are shipped, the largest first
 * @property {AbortSignal} signal
 */

/** @param {Introduction} introduction */
export async function introduce(introduction) {
  const shipped = await awaitShipped(introduction);
  if (introduction.signal.aborted) return;
  printShipped(introduction, shipped);
  await printCommands(introduction);
}

/** Runs until what was there is shipped, or for as long as an impatient person waits. */
async function awaitShipped({ read, status, baseline, startMs, signal }) {
  let last;
  let shownMs = 0;
  while (!signal.aborted && performance.now() - startMs < WITHIN_MS) {
    const figures = await read();
    if (figures) {
      if (figures.atMs - shownMs >= UPDATE_MS) {
        status.update(figures);
        shownMs = figures.atMs;
      }
      const hasGrown = last === undefined || figures.records > last.records;
      // The time of the last growth is when it was done; what is behind may be known later.
      last = { ...figures, atMs: hasGrown ? figures.atMs : last.atMs };
      const isSettled = figures.atMs - last.atMs > SETTLED_AFTER_MS;
      const isWarm = baseline.records > 0 || figures.records > 0;
      if (isWarm && (isSettled || figures.behindBytes === 0)) break;
    }
    await delay(POLL_MS, undefined, { signal }).catch(() => {});
  }
  return last;
}

function printShipped({ baseline, startMs, status }, last) {
  if (last === undefined) {
    status.print("  nothing has arrived yet");
    return;
  }
  const begin = { ...baseline, atMs: startMs };
  const records = last.records - begin.records;
  const size = formatBytes(last.bytes - begin.bytes);
  const seconds = ((last.atMs - startMs) / 1000).toFixed(1);
  const rate = records > 0 ? ` in ${seconds} s (${formatRate(rateBetween(begin, last))})` : "";
  const before = begin.records > 0 ? `; ${plural(begin.records, "line")} were here before` : "";
  const rest = last.behindBytes > 0 ? `; ${formatBytes(last.behindBytes)} still to come` : "";
  status.print(`  shipped  ${plural(records, "line")}, ${size}${rate}${before}${rest}`);
}

/** The next three commands, the first of which is known to find something. */
async function printCommands({ folder, paths, status, signal }) {
  const launcher = join(ROOT, "sluice");
  const env = { ...process.env, SLUICE_CONTEXT: folder.context };
  const filter = await findFilter(launcher, frequentWords(paths), { env, signal });
  if (signal.aborted) return;
  const isDefault = folder.path === join(ROOT, ".sluice");
  const prefix = isDefault ? "" : `SLUICE_CONTEXT=${quote(folder.context)} `;
  const shown = prefix + typed(launcher);
  const commands = [
    [`query ${filter === undefined ? "" : `${quote(filter)} `}-n 20`, "the newest lines with it"],
    ["tail", "every line as it arrives"],
    ["agents", "who ships what, and how far behind it is"],
  ].map(([args, meaning]) => [`${shown} ${args}`, meaning]);
  const width = Math.max(...commands.map(([command]) => command.length));
  status.print(`  data     ${folder.data}`);
  status.print("  next, in another terminal:");
  for (const [command, meaning] of commands) {
    const text = `${styleText("cyan", command.padEnd(width))}  ${styleText("dim", meaning)}`;
    status.print(`    ${text}`);
  }
}

/** As one types it in the folder where npm was called. */
function typed(launcher) {
  const path = relative(process.env.INIT_CWD ?? process.cwd(), launcher);
  if (path.startsWith("..")) return quote(launcher);
  return dirname(path) === "." ? `./${path}` : quote(path);
}

function quote(text) {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Finds a word to search for that really occurs in what was shipped. */
import { spawn } from "node:child_process";
import { closeSync, openSync, readSync, statSync } from "node:fs";

const SAMPLE_BYTES = 64 * 1024;
const SAMPLE_FILES = 5;
const QUERY_TIMEOUT_MS = 10_000;
/** A word of the query language, of ASCII here, long enough to mean something. */
const WORD = /(?<![0-9A-Za-z_\u0080-\uFFFF])[A-Za-z]{4,}(?![0-9A-Za-z_\u0080-\uFFFF])/g;
/** What people look for first. */
const TELLING = [
  "error",
  "failed",
  "failure",
  "warning",
  "timeout",
  "denied",
  "refused",
  "invalid",
];
const CANDIDATES = 6;

/** The words of the ends of the largest files, the telling ones first, then the most frequent. */
export function frequentWords(paths) {
  const counts = new Map();
  for (const path of paths.slice(0, SAMPLE_FILES)) {
    for (const [word] of readEnd(path).matchAll(WORD)) {
      const key = word.toLowerCase();
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return [...counts]
    .sort(([a, aCount], [b, bCount]) => rank(a) - rank(b) || bCount - aCount)
    .map(([word]) => word)
    .slice(0, CANDIDATES);
}

function rank(word) {
  return TELLING.includes(word) ? TELLING.indexOf(word) : TELLING.length;
}

function readEnd(path) {
  try {
    const { size } = statSync(path);
    const block = Buffer.alloc(Math.min(size, SAMPLE_BYTES));
    const fd = openSync(path, "r");
    try {
      return block.toString("latin1", 0, readSync(fd, block, 0, block.length, size - block.length));
    } finally {
      closeSync(fd);
    }
  } catch {
    return ""; // gone or closed to us since it was found: another file has words as well
  }
}

/** True when the command line, asked just as a person would ask it, finds something. */
function finds(command, args, { env, signal }) {
  return new Promise((done) => {
    const options = { stdio: "ignore", env, signal, timeout: QUERY_TIMEOUT_MS };
    const child = spawn(command, args, options);
    child.once("error", () => done(false));
    child.once("exit", (code) => done(code === 0));
  });
}

/**
 * @param {string} launcher path of `./sluice`
 * @param {string[]} words candidates, best first
 * @param {{env: Record<string, string | undefined>, signal: AbortSignal}} options
 * @returns {Promise<string | undefined>} a filter that finds at least one line
 */
export async function findFilter(launcher, words, options) {
  for (const filter of [...words, "*"]) {
    if (options.signal.aborted) return undefined;
    if (await finds(launcher, ["query", filter, "-n", "1"], options)) return filter;
  }
  return undefined;
}

/** What `npm start` shows while it runs: one block that is drawn anew on a terminal, else plain lines. */
import { stripVTControlCharacters, styleText } from "node:util";

import { formatBytes, formatCount, formatRate, plural, rateBetween } from "./figure-text.mjs";

const TOP_SOURCES = 5;
/** Without a terminal: a line this often while lines arrive, so that a log file stays small. */
const PLAIN_EVERY_MS = 10_000;

export class Status {
  #out;
  #isTerminal;
  #drawnLines = 0;
  #previous;
  #plain;

  constructor(out) {
    this.#out = out;
    this.#isTerminal = out.isTTY === true && process.env.TERM !== "dumb";
  }

  /** Text above the block. */
  print(text) {
    this.#erase();
    this.#out.write(`${text}\n`);
  }

  /** @param {import("./figures.mjs").Figures} figures */
  update(figures) {
    const rate = rateBetween(this.#previous ?? figures, figures);
    if (this.#isTerminal) this.#draw(blockOf(figures, rate, this.#out.columns ?? 80));
    else this.#note(figures);
    this.#previous = figures;
  }

  /** Leaves the last block as it stands. */
  end() {
    this.#drawnLines = 0;
  }

  #draw(lines) {
    this.#erase();
    this.#out.write(lines.map((line) => `${line}\n`).join(""));
    this.#drawnLines = lines.length;
  }

  #erase() {
    if (this.#drawnLines > 0) this.#out.write(`\u001B[${this.#drawnLines}A\u001B[J`);
    this.#drawnLines = 0;
  }

  #note(figures) {
    const last = this.#plain;
    if (last && (figures.atMs - last.atMs < PLAIN_EVERY_MS || figures.records === last.records)) {
      return;
    }
    if (last) {
      const rate = formatRate(rateBetween(last, figures));
      this.#out.write(`shipped ${totals(figures)}; ${rate}; ${backlog(figures)}\n`);
    }
    this.#plain = figures;
  }
}

function totals(figures) {
  return `${plural(figures.records, "line")}, ${formatBytes(figures.bytes)}`;
}

function backlog({ behindBytes }) {
  if (behindBytes === undefined) return "the agent is not connected";
  return behindBytes === 0 ? "up to date" : `${formatBytes(behindBytes)} behind`;
}

function blockOf(figures, rate, columns) {
  const top = figures.sources.slice(0, TOP_SOURCES);
  const rest = figures.sources.slice(TOP_SOURCES);
  const width = Math.max(...top.map(({ records }) => formatCount(records).length), 1);
  const rows = top.map(({ source, records, bytes }) =>
    clip(
      `    ${formatCount(records).padStart(width)}  ${formatBytes(bytes).padStart(8)}  ${source}`,
      columns,
    ),
  );
  if (rest.length > 0) rows.push(`    and ${plural(rest.length, "source")} more`);
  return [
    "",
    `  ${styleText("bold", totals(figures))}   ${formatRate(rate)}   ${backlog(figures)}`,
    ...rows.map((row) => styleText("dim", row)),
    styleText("dim", "  Ctrl-C ends it; the data stays"),
  ];
}

/** A line that wraps would be erased in part only; control characters in a path must not act. */
function clip(line, columns) {
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  const safe = stripVTControlCharacters(line).replaceAll(/[\u0000-\u001F\u007F-\u009F]/g, "?");
  return safe.length < columns ? safe : `${safe.slice(0, columns - 2)}…`;
}

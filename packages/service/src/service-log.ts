import { styleText } from "node:util";
import pino, { type Logger } from "pino";

import { escapeText } from "./terminal-text.ts";

export type Log = Logger;

/** A service's own log, on stderr: text for a person at a terminal, JSON for everything else. */
export function createLog(isTerminal: boolean): Log {
  if (!isTerminal) {
    return pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2));
  }
  return pino({ base: null }, { write: (line: string) => process.stderr.write(toText(line)) });
}

const COLOURS = { 30: "green", 40: "yellow", 50: "red", 60: "red" } as const;
const NAMES: Readonly<Record<number, string>> = {
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
};

/** One line for a person: time of day, level, message, then the other fields. Paths and what a peer said are data. */
export function toText(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as {
    level: keyof typeof COLOURS;
    time: number;
    msg: string;
  };
  const clock = styleText("dim", new Date(time).toTimeString().slice(0, 8));
  const name = styleText(COLOURS[level] ?? "red", (NAMES[level] ?? "fatal").padEnd(5));
  const rest = Object.entries(fields)
    .map(([key, value]) => {
      const shown = typeof value === "string" ? value : JSON.stringify(value);
      return styleText("dim", ` ${key}=${escapeText(shown)}`);
    })
    .join("");
  return `${clock} ${name} ${escapeText(msg)}${rest}\n`;
}

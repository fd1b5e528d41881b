import {
  copyFileSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { gzipSync } from "node:zlib";

import type { Fate, RotatedLog } from "./rotated-log.ts";

export const OPERATIONS = [
  "rename",
  "copytruncate",
  "gzip after rename",
  "truncate and regrow",
  "delete",
  "symlink swap",
] as const;

export type Operation = (typeof OPERATIONS)[number];

/** What an operation does, in steps between which the agent may be killed; lines are written between them too. */
export type Step = () => void;

/** Whether an operation leaves no file in which a reader that comes later finds the bytes. */
export function destroys(operation: Operation): boolean {
  return operation === "truncate and regrow" || operation === "delete";
}

/** Begins a log in the way that the operation is going to need. */
export function beginLog(operation: Operation, log: RotatedLog): void {
  if (operation !== "symlink swap") {
    log.open();
    return;
  }
  const target = log.beside(dateOf(log));
  log.open(target);
  symlinkSync(target, log.path);
}

/** @param fate what becomes of the bytes of a file that the operation destroys */
export function stepsOf(operation: Operation, log: RotatedLog, fate: Fate): readonly Step[] {
  switch (operation) {
    case "rename":
      return renameSteps(log);
    case "copytruncate":
      return [
        () => {
          log.append();
          log.shift();
          copyFileSync(log.path, log.beside(".1"));
        },
        () => log.truncate(),
        () => log.append(),
      ];
    case "gzip after rename":
      return [...renameSteps(log), ...gzipSteps(log)];
    case "truncate and regrow": {
      let before = 0;
      return [
        () => {
          before = statSync(log.path).size;
          log.current.fate = fate;
          log.truncate();
        },
        () => log.append(),
        () => log.appendPast(before),
      ];
    }
    case "delete":
      return [
        () => {
          log.append();
          log.current.fate = fate;
          unlinkSync(log.path);
        },
        () => {
          log.open();
          log.append();
        },
      ];
    case "symlink swap":
      return swapSteps(log);
    default:
      return operation satisfies never;
  }
}

/** The new file is there at once; the program writes to the renamed one until it is told to open it. */
function renameSteps(log: RotatedLog): Step[] {
  return [
    () => {
      log.append();
      log.shift();
      renameSync(log.path, log.beside(".1"));
      writeFileSync(log.path, "");
    },
    () => log.append(),
    () => {
      log.open();
      log.append();
    },
  ];
}

/** As gzip(1) does it: the compressed file grows beside the plain one, which goes last. */
function gzipSteps(log: RotatedLog): Step[] {
  const plain = log.beside(".1");
  const packed = log.beside(".1.gz");
  return [
    () => {
      const bytes = gzipSync(readFileSync(plain), { level: 1 });
      writeFileSync(packed, bytes.subarray(0, bytes.length / 2));
    },
    () => {
      const { atime, mtime } = statSync(plain);
      writeFileSync(packed, gzipSync(readFileSync(plain), { level: 1 }));
      utimesSync(packed, atime, mtime);
    },
    () => unlinkSync(plain),
    () => log.append(),
  ];
}

/** As cronolog does it: files named after dates, and a link to the newest that is replaced. */
function swapSteps(log: RotatedLog): Step[] {
  return [
    () => log.append(),
    () => {
      const target = log.beside(dateOf(log));
      const link = log.beside(".new");
      log.open(target);
      symlinkSync(target, link);
      renameSync(link, log.path);
    },
    () => log.append(),
  ];
}

/** The name of the next file: each has a day of its own. */
function dateOf({ segments }: RotatedLog): string {
  const day = new Date(Date.UTC(2026, 0, 1 + segments.length));
  return `-${day.toISOString().slice(0, 10).replaceAll("-", "")}`;
}

import { join } from "node:path";

import { type LogShape, RotatedLog } from "./rotated-log.ts";
import { beginLog, type Operation, OPERATIONS } from "./rotation-operation.ts";

/** How the agent fares while the files change. */
export const CONDITIONS = ["up", "down", "killed"] as const;
export type Condition = (typeof CONDITIONS)[number];

/** What is in the files. */
export const SHAPES = ["small", "large", "identical headers"] as const;
type Shape = (typeof SHAPES)[number];

const LOG_SHAPES: Readonly<Record<Shape, LogShape>> = {
  // A whole file is shorter than the head that is fingerprinted.
  small: { meanLineBytes: 30, repeats: 1, lines: 2, hasBanner: false },
  // Each append is more than a batch.
  large: { meanLineBytes: 40, repeats: 8, lines: 4_000, hasBanner: false },
  "identical headers": { meanLineBytes: 100, repeats: 1, lines: 12, hasBanner: true },
};

/** One of the matrix's logs. */
export interface MatrixCell {
  readonly operation: Operation;
  readonly condition: Condition;
  readonly shape: Shape;
  readonly log: RotatedLog;
}

export interface MatrixPlan {
  readonly operations: readonly Operation[];
  readonly conditions: readonly Condition[];
  readonly shapes: readonly Shape[];
}

/** All 54. */
export const FULL_MATRIX: MatrixPlan = {
  operations: OPERATIONS,
  conditions: CONDITIONS,
  shapes: SHAPES,
};

/** For every `npm test`: the six operations on small files, while the agent runs and does not. */
export const SHORT_MATRICES: readonly MatrixPlan[] = (["up", "down"] as const).map((condition) => ({
  operations: OPERATIONS,
  conditions: [condition],
  shapes: ["small"],
}));

/** Begins a log for each cell, in a folder of its own below `logDir`. */
export function createCells(
  { operations, conditions, shapes }: MatrixPlan,
  logDir: string,
): MatrixCell[] {
  const cells: MatrixCell[] = [];
  for (const operation of operations) {
    for (const condition of conditions) {
      for (const shape of shapes) {
        const folder = [operation, condition, shape].join("-").replaceAll(" ", "-");
        const path = join(logDir, folder, "app.log");
        const log = new RotatedLog(path, cells.length, LOG_SHAPES[shape]);
        beginLog(operation, log);
        cells.push({ operation, condition, shape, log });
      }
    }
  }
  return cells;
}

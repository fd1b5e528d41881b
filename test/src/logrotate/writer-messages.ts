/** How a program writes that has its logs rotated. */
export interface WriterOptions {
  readonly logs: ReadonlyArray<{ readonly path: string; readonly file: number }>;
  readonly meanLineBytes: number;
  /** Of each log. */
  readonly linesPerSecond: number;
}

/** Lines written to each log, in the order of the options: said once, when all is written. */
export interface WriterReport {
  readonly written: readonly number[];
}

/** What a process of light agents is told at its start. */
export interface FleetOrder {
  readonly url: string;
  readonly token: string;
  /** Numbers of its agents: from, and one past the last. */
  readonly from: number;
  readonly to: number;
}

/** `mark`: tell what there is, and count from here on; `stop`: no more lines, and end when all are acknowledged. */
export type FleetRequest = "mark" | "stop";

/** Since the last mark. */
export interface FleetMark {
  readonly written: number;
  readonly open: number;
  readonly unacked: number;
  readonly rawBytes: number;
  readonly ackMs: readonly number[];
  /** Milliseconds since the epoch. */
  readonly attempts: readonly number[];
}

import type { Beat } from "./beat.ts";
import type { TailEvent } from "./event.ts";
import type { TailClock, TailTiming } from "./file-source-options.ts";
import type { Registry } from "./registry.ts";
import type { WatchBudget } from "./watch-budget.ts";

/** What the reader of one file has of its source. */
export interface FileReaderPorts {
  readonly registry: Registry;
  readonly clock: TailClock;
  readonly timing: TailTiming;
  readonly watches: WatchBudget;
  /** When busy files are looked at. */
  readonly beat: Beat;
  readonly emit: (event: TailEvent) => void;
  /** Asks for a scan soon: something happened to the file. */
  readonly hint: () => void;
  readonly released: () => void;
}

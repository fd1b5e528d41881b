/** The log that is generated where no other can be read: an hour of a made-up server, and its present. */
import { appendFileSync, existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { generateLines } from "../../test/dist/corpus/generate.js";

const LINES_PER_SECOND = 15;
/** A little more than an hour at that rate. */
const PAST_BYTES = 8_000_000;
const PAST_MS = 4_200_000;
/** The lines of one second, on the average. */
const SECOND_BYTES = 2_000;
/** A terminal that is left open for weeks does not fill the disk. */
const MAX_BYTES = 64_000_000;

/** Its name shows in every result. */
const NAME = "generated-sample.log";

/** A file in `folder` that grows once a second until it is stopped. */
export class SampleLog {
  /** @type {string} */
  path;
  #timer;
  #seed = Math.floor(Date.now() / 1000);

  constructor(folder) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.path = join(folder, NAME);
    if (!existsSync(this.path)) this.#append(PAST_BYTES, Date.now() - PAST_MS);
  }

  start() {
    this.#timer = setInterval(() => {
      if (statSync(this.path).size < MAX_BYTES) this.#append(SECOND_BYTES, Date.now());
    }, 1_000);
  }

  stop() {
    clearInterval(this.#timer);
  }

  #append(bytes, startMs) {
    const lines = generateLines({
      kind: "syslog",
      seed: this.#seed++,
      bytes,
      startUs: startMs * 1000,
      linesPerSecond: LINES_PER_SECOND,
    });
    for (const chunk of lines) appendFileSync(this.path, chunk, { mode: 0o600 });
  }
}

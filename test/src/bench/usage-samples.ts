import { processUsage } from "./process-usage.ts";

const SAMPLE_EVERY_MS = 500;
const MIB = 2 ** 20;

interface Sample {
  readonly atMs: number;
  readonly rssBytes: number;
  readonly ownBytes: number;
}

export interface UsageFigures {
  /** Of one core. */
  readonly cpuPercent: number;
  /** The largest that was sampled. */
  readonly rssMiB: number;
  readonly ownMiB: number;
  /** Of a straight line through the samples. */
  readonly rssSlopeMiBPerMinute: number;
}

/** What a process takes from its construction on, sampled from outside. */
export class UsageSamples implements Disposable {
  readonly #pid: number;
  readonly #timer: NodeJS.Timeout;
  readonly #samples: Sample[] = [];
  readonly #cpuSeconds: number;
  readonly #startedMs = performance.now();

  constructor(pid: number) {
    this.#pid = pid;
    this.#cpuSeconds = processUsage(pid).cpuSeconds;
    this.#sample();
    this.#timer = setInterval(() => this.#sample(), SAMPLE_EVERY_MS);
  }

  figures(): UsageFigures {
    const { cpuSeconds } = this.#sample();
    const seconds = (performance.now() - this.#startedMs) / 1000;
    return {
      cpuPercent: (100 * (cpuSeconds - this.#cpuSeconds)) / seconds,
      rssMiB: Math.max(...this.#samples.map(({ rssBytes }) => rssBytes)) / MIB,
      ownMiB: Math.max(...this.#samples.map(({ ownBytes }) => ownBytes)) / MIB,
      rssSlopeMiBPerMinute: (slope(this.#samples) * 60_000) / MIB,
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #sample(): { readonly cpuSeconds: number } {
    const { cpuSeconds, rssBytes, ownBytes } = processUsage(this.#pid);
    this.#samples.push({ atMs: performance.now() - this.#startedMs, rssBytes, ownBytes });
    return { cpuSeconds };
  }
}

/** Bytes per millisecond, by least squares. */
function slope(samples: readonly Sample[]): number {
  const mean = (of: (sample: Sample) => number): number =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const atMs = mean((sample) => sample.atMs);
  const rssBytes = mean((sample) => sample.rssBytes);
  const spread = mean((sample) => (sample.atMs - atMs) ** 2);
  return mean((sample) => (sample.atMs - atMs) * (sample.rssBytes - rssBytes)) / spread;
}

import type { ServiceProcess } from "../process.ts";

/**
 * What is written to a file after it was renamed, read to its end and quiet for two seconds has a
 * generation of its own, with a number behind those that began meanwhile. On a busy machine the
 * writer of a test may be as late as that.
 */
export class LateWrites {
  /** By source and the generation that holds them: the one behind which they were written. */
  readonly #finished = new Map<string, number>();

  /** @param services whose logs say so, as far as they have come */
  constructor(services: readonly ServiceProcess[]) {
    for (const { fields } of services.flatMap(({ log }) => log)) {
      const { source, generation, finished } = fields;
      if (typeof finished === "number") {
        this.#finished.set(`${String(generation)}:${String(source)}`, finished);
      }
    }
  }

  /** Generations of a source, given by their numbers, in the order in which they were written. */
  sort<T extends { readonly generation: number }>(source: string, generations: readonly T[]): T[] {
    const sorted: T[] = [];
    for (const each of generations) {
      const finished = this.#finished.get(`${each.generation}:${source}`);
      const at = sorted.findIndex(({ generation }) => generation === finished);
      sorted.splice(at < 0 ? sorted.length : at + 1, 0, each);
    }
    return sorted;
  }
}

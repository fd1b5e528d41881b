import { UserPattern } from "./user-pattern.ts";

/** Which records are kept by what they say. */
export class LineFilter {
  readonly #include: readonly UserPattern[];
  readonly #exclude: readonly UserPattern[];

  constructor(include: readonly string[], exclude: readonly string[]) {
    this.#include = include.map((source) => UserPattern.compile(source));
    this.#exclude = exclude.map((source) => UserPattern.compile(source));
  }

  keeps(text: string): boolean {
    const isIncluded =
      this.#include.length === 0 || this.#include.some((pattern) => pattern.test(text));
    return isIncluded && !this.#exclude.some((pattern) => pattern.test(text));
  }
}

import { UserPattern } from "../processing/user-pattern.ts";
import type { LineRule } from "./line-rule.ts";

/**
 * A user's own rule. With `start` alone every line that does not match it goes on; with `continue`
 * alone every line that matches it; with both, a line that matches neither is a record of its own.
 */
export class PatternRule implements LineRule {
  readonly #start: UserPattern | undefined;
  readonly #continue: UserPattern | undefined;

  constructor(start: string | undefined, continuation: string | undefined) {
    this.#start = start === undefined ? undefined : UserPattern.compile(start);
    this.#continue = continuation === undefined ? undefined : UserPattern.compile(continuation);
  }

  continues(line: string): boolean {
    if (this.#start?.test(line) === true) {
      return false;
    }
    return this.#continue === undefined || this.#continue.test(line);
  }

  reset(): void {
    // It remembers nothing.
  }
}

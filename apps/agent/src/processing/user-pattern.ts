import { err, ok, type Result } from "@sluice/quantity";
import { RE2JS } from "re2js";

/**
 * A pattern of the configuration, in RE2's syntax. It takes time in proportion to the text, whatever
 * the pattern and the text: neither may stop the agent (docs/decisions/0016-patterns-of-users.md).
 * `^` and `$` are the ends of a line, `.` is anything but a line feed.
 */
export class UserPattern {
  readonly #pattern: RE2JS;

  private constructor(pattern: RE2JS) {
    this.#pattern = pattern;
  }

  /** The error is a sentence that says what to do. */
  static parse(source: string): Result<UserPattern> {
    if (source === "") {
      return err("the pattern is empty");
    }
    try {
      return ok(new UserPattern(RE2JS.compile(source, RE2JS.MULTILINE)));
    } catch (error) {
      return err(describe(error instanceof Error ? error.message : String(error)));
    }
  }

  /** Throws a RangeError for a pattern that `parse` refuses. */
  static compile(source: string): UserPattern {
    const parsed = UserPattern.parse(source);
    if (!parsed.ok) {
      throw new RangeError(`${parsed.error}: ${source}`);
    }
    return parsed.value;
  }

  get groupNames(): readonly string[] {
    return Object.keys(this.#pattern.namedGroups());
  }

  test(text: string): boolean {
    return this.#pattern.test(text);
  }

  /** The text of each named group that took part in the first match; undefined where there is none. */
  groups(text: string): ReadonlyMap<string, string> | undefined {
    const matcher = this.#pattern.matcher(text);
    if (!matcher.find()) {
      return undefined;
    }
    const groups = new Map<string, string>();
    for (const name of this.groupNames) {
      const value: string | null = matcher.group(name);
      if (value !== null) {
        groups.set(name, value);
      }
    }
    return groups;
  }

  /** `found` is told of each match. */
  replaceAll(text: string, replacement: string): string {
    return this.#pattern.matcher(text).replaceAll(replacement);
  }
}

function describe(reason: string): string {
  const what = reason.replace(/^error parsing regexp: /, "");
  return /\(\?[=!<]|`\\\d`/.test(what)
    ? `the pattern cannot be matched in linear time: ${what} (RE2's syntax has no lookaround and no backreferences)`
    : `the pattern is invalid: ${what}`;
}

/**
 * Says of each line of a stream, in order, whether it goes on with the record in front of it. What it
 * remembers of the lines before is its own.
 */
export interface LineRule {
  /** `line` comes without its line end. */
  continues(line: string): boolean;
  /** The record in front was given away: the next line begins one whatever it says. */
  reset(): void;
}

/**
 * A rule that knows in which part of a trace the last line was, by steps. Its patterns run on V8's
 * engine, which backtracks: each takes time in proportion to the line, whatever that says.
 */
export abstract class TraceRule<Part extends string> implements LineRule {
  #part: Part | undefined;

  continues(line: string): boolean {
    const before = this.#part;
    const joined = before === undefined ? undefined : this.join(line, before);
    this.#part = joined ?? this.begin(line);
    return joined !== undefined;
  }

  reset(): void {
    this.#part = undefined;
  }

  /** What the line is where it goes on with the record; undefined where it does not. */
  protected abstract join(line: string, before: Part): Part | undefined;

  /** What the line is where it begins a record. */
  protected abstract begin(line: string): Part;
}

/**
 * A line that a logger wrote about a failure: what it prints below belongs to it. Words stand alone,
 * in capitals or as a level's value: `ERROR`, `[error]`, `level=warn`, `"level":"fatal"`.
 */
export const FAILURE_LINE: RegExp =
  /(?:^|[^\w/.-])(?:ERROR|WARN|WARNING|FATAL|SEVERE|CRITICAL|CRIT|[Ll]evel[=:"' ]{1,4}(?:error|warn|warning|fatal|critical)|\[(?:error|warn|warning|fatal|critical)\])(?![\w/-])/;

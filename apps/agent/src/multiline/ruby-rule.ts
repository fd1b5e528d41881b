import { FAILURE_LINE, TraceRule } from "./line-rule.ts";

type Part = "line" | "failure" | "head" | "excerpt" | "source" | "frames" | "reversed";

/** `app.rb:2:in 'Integer#/': divided by 0 (ZeroDivisionError)`; before 3.4 the first quote is a backtick. */
const HEAD = /^\S+:\d+:in [`'].*\([A-Z][\w:]*\)$|^\S+:\d+: .*\([A-Z][\w:]*\)$/;
const FROM = /^\s+from \S|^\s+\.\.\. \d+ levels\.\.\.$/;
/** Oldest call first, numbered, as 2.5 to 2.7 print it on a terminal. */
const NUMBERED = /^\s+\d+: from \S/;
const REVERSED = /^Traceback \(most recent call last\):$/;
/** A line of `exception.backtrace`, as loggers print it. */
const BACKTRACE = /^\s*\S*:\d+:in [`'].*'$/;
const HINT = /^(?:Did you mean\?|\s+Did you mean\?)/;
const CARET = /^\s*\^+\s*$/;

/** Ruby's exceptions in both orders, with causes, excerpts and the log line that they stand under. */
export class RubyRule extends TraceRule<Part> {
  protected join(line: string, before: Part): Part | undefined {
    if (before === "reversed") {
      if (NUMBERED.test(line) || FROM.test(line)) {
        return "reversed";
      }
      return HEAD.test(line) ? "head" : undefined;
    }
    if (FROM.test(line) || BACKTRACE.test(line)) {
      return "frames";
    }
    switch (before) {
      case "line":
        return undefined;
      case "failure":
        return HEAD.test(line) ? "head" : undefined;
      case "head":
        if (HINT.test(line)) {
          return "head";
        }
        return line === "" ? "excerpt" : undefined;
      case "excerpt":
        return line === "" ? undefined : "source";
      case "source":
        return CARET.test(line) || HINT.test(line) ? "head" : undefined;
      case "frames":
        // The cause follows its consequence without a word.
        return HEAD.test(line) ? "head" : undefined;
      default:
        return before satisfies never;
    }
  }

  protected begin(line: string): Part {
    if (REVERSED.test(line)) {
      return "reversed";
    }
    if (HEAD.test(line)) {
      return "head";
    }
    return FAILURE_LINE.test(line) ? "failure" : "line";
  }
}

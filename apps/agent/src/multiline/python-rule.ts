import { FAILURE_LINE, TraceRule } from "./line-rule.ts";

type Part = "line" | "failure" | "frames" | "raised" | "blank" | "chained";

const TRACEBACK = /(?:^|\s|:)(?:\+ Exception Group )?Traceback \(most recent call last\):$/;
/** A frame, its source and carets; the branches of an exception group are drawn with `|` and `+`. */
const FRAME = /^(?: {2}|\t)|^ \| /;
/** A syntax error has no traceback's head, only its place. */
const PLACE = /^ {2}File "[^"]*", line \d+/;
/** `ValueError: text`, `KeyboardInterrupt`, `acme.errors.Boom: text`. */
const RAISED = /^[A-Za-z_][\w.]*(?:\[[\w.]+\])?(?::(?: .*)?)?$/;
const CHAIN =
  /^(?:During handling of the above exception, another exception occurred:|The above exception was the direct cause of the following exception:)$/;

/** Python's tracebacks, chained ones and groups as one record, with the log line that they stand under. */
export class PythonRule extends TraceRule<Part> {
  protected join(line: string, before: Part): Part | undefined {
    switch (before) {
      case "line":
        return undefined;
      case "failure":
        return TRACEBACK.test(line) ? "frames" : undefined;
      case "frames":
        if (FRAME.test(line)) {
          return "frames";
        }
        return RAISED.test(line) ? "raised" : undefined;
      case "raised":
        return line === "" ? "blank" : undefined;
      case "blank":
        return CHAIN.test(line) ? "chained" : undefined;
      case "chained":
        if (line === "") {
          return "chained";
        }
        return TRACEBACK.test(line) || PLACE.test(line) ? "frames" : undefined;
      default:
        return before satisfies never;
    }
  }

  protected begin(line: string): Part {
    if (TRACEBACK.test(line) || PLACE.test(line)) {
      return "frames";
    }
    return FAILURE_LINE.test(line) ? "failure" : "line";
  }
}

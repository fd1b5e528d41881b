import { FAILURE_LINE, TraceRule } from "./line-rule.ts";

type Part = "line" | "failure" | "panic" | "stack";

const PANIC = /^(?:panic: |fatal error: |runtime: |unexpected fault address |SIG[A-Z]+: )/;
/** `2026/11/26 23:00:00 http: panic serving 10.0.0.1:1: text`, `log.Panic`, and other log lines on a panic. */
const PANIC_LOGGED = /(?:^|[\s:=])panic(?:ked)?(?:[: ]|$)/;
const GOROUTINE = /^(?:goroutine \d+ [^[\]]*\[[^\]]*\]:|runtime stack:)$/;
/** What the runtime prints between a panic and the first goroutine. */
const IN_PANIC =
  /^(?:\t|\[signal |\[recovered|panic: |fatal error: |runtime: |PC=|sp=|stack: frame=|goroutine \d+ )/;
/** A call, its place, who created the goroutine, what is left out, registers, the end of `go run`. */
const IN_STACK =
  /^(?:\t|created by |\.\.\.(?:additional|\d+) frames elided\.\.\.|r\w{1,5} +0x|[cfg]s +0x|exit status \d+$|[A-Za-z_][^\s(]*\(.*\)$)/;
/** `main.(*Server).handle(0xc0000b4000, {0x1, 0x2})`: its receiver is in brackets, its arguments in the last ones. */
const METHOD = /^[A-Za-z_][^\s(]*\(\*?[\w[\].…,/-]+\)\.[^\s(]+\(.*\)$/;

/** Panics and fatal errors with all their goroutines, with the log line that they stand under. */
export class GoRule extends TraceRule<Part> {
  protected join(line: string, before: Part): Part | undefined {
    switch (before) {
      case "line":
        return undefined;
      case "failure":
        return GOROUTINE.test(line) ? "stack" : undefined;
      case "panic":
        if (GOROUTINE.test(line)) {
          return "stack";
        }
        return line === "" || IN_PANIC.test(line) || /^exit status \d+$/.test(line)
          ? "panic"
          : undefined;
      case "stack":
        return line === "" || GOROUTINE.test(line) || IN_STACK.test(line) || METHOD.test(line)
          ? "stack"
          : undefined;
      default:
        return before satisfies never;
    }
  }

  protected begin(line: string): Part {
    if (GOROUTINE.test(line)) {
      return "stack";
    }
    if (PANIC.test(line) || PANIC_LOGGED.test(line)) {
      return "panic";
    }
    return FAILURE_LINE.test(line) ? "failure" : "line";
  }
}

import { FAILURE_LINE, TraceRule } from "./line-rule.ts";

type Part = "line" | "failure" | "trace" | "util-logging";

/** A frame, a cause, what was left out, a lock or state of a thread dump. */
const IN_TRACE =
  /^\s+(?:at |- (?:locked|waiting|parking|eliminated|None)|java\.lang\.Thread\.State: |Locked ownable )|^\s*(?:Caused by: |Suppressed: |Wrapped by: |\.\.\. \d+ (?:more|common frames omitted|frames? (?:truncated|excluded))|\[?CIRCULAR REFERENCE:)/;
/** `com.acme.BoomException: text`, as `printStackTrace` begins; a class without a package needs the word. */
const THROWABLE =
  /^(?:[a-zA-Z_$][\w$]{0,200}\.){1,30}[\w$]+(?:: |$)|^[A-Z][\w$]*(?:Exception|Error|Throwable)(?:: |$)/;
/** `Nov 26, 2026 11:00:00 PM com.acme.Main main`: java.util.logging says the level on the next line. */
const UTIL_LOGGING_HEAD = /^[A-Z][a-z]{2} \d{1,2}, \d{4},? \d{1,2}:\d\d:\d\d [AP]M /;
const UTIL_LOGGING_LEVEL = /^(?:SEVERE|WARNING|INFO|CONFIG|FINE|FINER|FINEST): /;

/** Stack traces of the JVM's languages, with the log line that they stand under. */
export class JavaRule extends TraceRule<Part> {
  protected join(line: string, before: Part): Part | undefined {
    if (IN_TRACE.test(line)) {
      return "trace";
    }
    if (before === "failure" && THROWABLE.test(line)) {
      return "trace";
    }
    return before === "util-logging" && UTIL_LOGGING_LEVEL.test(line)
      ? this.begin(line)
      : undefined;
  }

  protected begin(line: string): Part {
    if (UTIL_LOGGING_HEAD.test(line)) {
      return "util-logging";
    }
    return FAILURE_LINE.test(line) ? "failure" : "line";
  }
}

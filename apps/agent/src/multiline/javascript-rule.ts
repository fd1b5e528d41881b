import { TraceRule } from "./line-rule.ts";

type Part = "line" | "place" | "source" | "caret" | "head" | "frames" | "properties" | "done";

/** `/app/server.js:12`: an uncaught error's place, above its source line. */
const PLACE = /^(?:\/|[A-Za-z]:\\|file:\/\/|node:)\S*:\d+$/;
const CARET = /^\s*\^+\s*$/;
const FRAME = /^\s+(?:at |\.\.\. \d+ lines matching cause stack trace \.\.\.$)/;
const PROPERTIES_OPEN = /\{$/;
/** An error without a stack: `[Error: text] {`, `Error: text {`. */
const BARE_ERROR = /^\[?(?:[A-Z]\w*)?Error(?: \[\w+\])?: .*\{$/;
/** What Node prints behind an error, and its lists of modules within the message. */
const AFTER = /^(?:Node\.js v\d|\(Use `node --trace-|Thrown at:$)/;
const REQUIRE_STACK = /^(?:Require stack:|- \S+)$/;

/** Errors of Node.js as it prints them, uncaught or inspected: excerpt, stack, properties and causes. */
export class JavascriptRule extends TraceRule<Part> {
  protected join(line: string, before: Part): Part | undefined {
    if (before === "properties") {
      return this.#joinProperties(line);
    }
    if (FRAME.test(line)) {
      return PROPERTIES_OPEN.test(line) ? "properties" : "frames";
    }
    switch (before) {
      case "place":
        return line === "" ? undefined : "source";
      case "source":
        return CARET.test(line) ? "caret" : undefined;
      case "caret":
        return line === "" ? "caret" : PROPERTIES_OPEN.test(line) ? "properties" : "head";
      case "line":
      case "head":
        return REQUIRE_STACK.test(line) || AFTER.test(line) ? "head" : undefined;
      case "frames":
        return line === "" || AFTER.test(line) ? "done" : undefined;
      case "done":
        return AFTER.test(line) ? "done" : undefined;
      default:
        return before satisfies never;
    }
  }

  protected begin(line: string): Part {
    if (PLACE.test(line)) {
      return "place";
    }
    return BARE_ERROR.test(line) ? "properties" : "line";
  }

  #joinProperties(line: string): Part | undefined {
    if (/^[}\]]+$/.test(line)) {
      return "frames";
    }
    return /^\s/.test(line) ? "properties" : undefined;
  }
}

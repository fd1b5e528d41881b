import type { MultilineSettings } from "../processing/processing-settings.ts";
import { GoRule } from "./go-rule.ts";
import { JavaRule } from "./java-rule.ts";
import { JavascriptRule } from "./javascript-rule.ts";
import type { LineRule } from "./line-rule.ts";
import { PatternRule } from "./pattern-rule.ts";
import { PythonRule } from "./python-rule.ts";
import { RubyRule } from "./ruby-rule.ts";

/** The rule that a source names, fresh for one reading of its stream. */
export function createLineRule(rule: MultilineSettings["rule"]): LineRule {
  switch (rule) {
    case "java":
      return new JavaRule();
    case "python":
      return new PythonRule();
    case "go":
      return new GoRule();
    case "ruby":
      return new RubyRule();
    case "javascript":
      return new JavascriptRule();
    default:
      return new PatternRule(rule.start, rule.continue);
  }
}

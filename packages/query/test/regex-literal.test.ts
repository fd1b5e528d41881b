import { describe, expect, test } from "vitest";
import { regexLiterals } from "../src/regex-literal.ts";

describe("texts that every match of a regular expression holds", () => {
  test.each<[string, readonly string[]]>([
    ["timeout", ["timeout"]],
    ["took \\d{4,}ms", ["took ", "ms"]],
    ["^a b$", ["a b"]],
    ["a|b", []],
    ["x(a|b)y", ["x", "y"]],
    ["x(?:a[)]b)?y", ["x", "y"]],
    ["abc?d", ["ab", "d"]],
    ["ab*", ["a"]],
    ["ab+c", ["a", "c"]],
    ["ab{2}c", ["a", "c"]],
    ["ab{0,}?c", ["a", "c"]],
    ["a{b}c", ["a", "b", "c"]],
    ["a[x\\]y]b", ["a", "b"]],
    ["a[[]b", ["a", "b"]],
    ["10\\.0\\.0\\.1", ["10.0.0.1"]],
    ["\\/var\\/log", ["/var/log"]],
    ["a\\bb\\Bc", ["a", "b", "c"]],
    ["a\\nb", []],
    ["\\x41b", []],
    ["\\u0041b", []],
    ["(a)\\1", []],
    ["größe", ["gr", "e"]],
    ["é?a", ["a"]],
    ["a(?=b)c", ["a", "c"]],
    ["a\\.?b", ["a", "b"]],
    [".", []],
  ])("of %s are %j", (source, literals) => {
    expect(regexLiterals(source)).toEqual(literals);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { appendToList } from "../src/list-append.ts";

const ITEM = { file: "/b" };

describe("an item that is added to a list", () => {
  it.each([
    ["an empty text", "", "sources:\n  - file: /b\n"],
    ["comments alone", "# nothing yet\n", "# nothing yet\nsources:\n  - file: /b\n"],
    ["a text without the key", "host: x # mine", "host: x # mine\nsources:\n  - file: /b\n"],
    [
      "a list in its mapping's column",
      "sources:\n- file:   /a   # one\n\n# end\nhost: x\n",
      "sources:\n- file:   /a   # one\n- file: /b\n\n# end\nhost: x\n",
    ],
    [
      "an indented list",
      "sources:\n    - file: [/a,   '/c']\n      start:  end # so\nhost: x\n",
      "sources:\n    - file: [/a,   '/c']\n      start:  end # so\n    - file: /b\nhost: x\n",
    ],
    ["no line end at the end", "sources:\n  - file: /a", "sources:\n  - file: /a\n  - file: /b\n"],
    [
      "a last item in brackets",
      "sources:\n  - {file: /a}\nhost: x\n",
      "sources:\n  - {file: /a}\n  - file: /b\nhost: x\n",
    ],
    [
      "a text block as its last item",
      "sources:\n  - file: |\n      /a\nhost: x\n",
      "sources:\n  - file: |\n      /a\n  - file: /b\nhost: x\n",
    ],
  ])("goes behind the last one of %s, and nothing else changes", (_, text, expected) => {
    expect(appendToList(text, "sources", ITEM)).toBe(expected);
  });

  it.each([
    ["a list in brackets", "# a\nsources: [{file: /a}] # b\nhost: x\n", 2],
    ["an empty list", "sources: [] # b\nhost: x # c\n", 1],
    ["an empty value", "sources:\n# b\nhost: x # c\n", 1],
  ])("keeps the comments of %s", (_, text, length) => {
    const edited = appendToList(text, "sources", ITEM);
    for (const comment of text.match(/# \w/g) ?? []) expect(edited).toContain(comment);
    const { sources } = parse(edited) as { sources: unknown[] };
    expect(sources).toHaveLength(length);
    expect(sources.at(-1)).toEqual(ITEM);
  });

  it("is read back as it was, whatever it says", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "binary", maxLength: 20 }), { minLength: 1, maxLength: 4 }),
        (files) => {
          const item = { file: files };
          const edited = appendToList("sources:\n  - file: /a # first\nhost: x\n", "sources", item);
          expect(parse(edited)).toEqual({ sources: [{ file: "/a" }, item], host: "x" });
          expect(edited).toContain("# first\n");
        },
      ),
      { numRuns: 40 },
    );
  });

  it("is refused by a document that is no mapping", () => {
    expect(() => appendToList("- a\n", "sources", ITEM)).toThrow(TypeError);
  });
});

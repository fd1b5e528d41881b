import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";

import { toText } from "../src/service-log.ts";

test.each(["\u001b]0;title\u0007", "\u009b2J", "\u202e", "\r", "two\nlines"])(
  "a terminal is not given %j of a message, a field or a field's parts",
  (evil) => {
    const entry = {
      level: 40,
      time: 0,
      msg: `refused: ${evil}`,
      path: evil,
      err: { message: evil },
    };
    const shown = stripVTControlCharacters(toText(JSON.stringify(entry)));
    expect(shown).not.toContain(evil);
    expect(shown.slice(0, -1)).not.toMatch(/[^\P{Cc}\t]|\p{Bidi_Control}/u);
    expect(shown).toMatch(/warn {2}refused: .* path=.* err=\{"message":/);
  },
);

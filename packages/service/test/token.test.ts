import { expect, test } from "vitest";

import { parseToken } from "../src/token.ts";

test.each(["abc-_123", " abc-_123\r\n", "\tabc-_123\n\n"])("finds the token in %j", (text) => {
  expect(parseToken(text)).toBe("abc-_123");
});

test.each(["", " \n", "two words", "two\nlines", "caf\u00e9", "nul\u0000", "esc\u001b[2J"])(
  "takes %j for no token, as no header can carry it",
  (text) => {
    expect(parseToken(text)).toBeUndefined();
  },
);

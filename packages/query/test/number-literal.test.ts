import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareNumbers, parseNumberLiteral } from "../src/number-literal.ts";

describe("parseNumberLiteral", () => {
  test.each(["0", "500", "-1", "+7", "1.", ".5", "1.5", "1e9", "1.5E-3", "007"])(
    "reads %s as JavaScript does",
    (text) => {
      expect(parseNumberLiteral(text)?.value).toBe(Number(text));
    },
  );

  test.each([
    "",
    " 1",
    "1 ",
    "1_000",
    "0x10",
    "1e",
    "e5",
    ".",
    "-",
    "Infinity",
    "NaN",
    "1".repeat(401),
  ])("refuses %j", (text) => {
    expect(parseNumberLiteral(text)).toBeUndefined();
  });
});

describe("compareNumbers", () => {
  test("orders integers of any length as BigInt does", () => {
    const near = fc.bigInt({ min: -3n, max: 3n });
    const integers = fc
      .tuple(
        fc.constantFrom(0n, 2n ** 53n, -(2n ** 53n), 10n ** 15n, 10n ** 40n, -(10n ** 40n)),
        near,
      )
      .map(([base, offset]) => base + offset);
    fc.assert(
      fc.property(integers, integers, fc.constantFrom("", "000"), (a, b, zeros) => {
        const text = a < 0n ? `-${zeros}${-a}` : zeros + String(a);
        const left = parseNumberLiteral(text);
        const right = parseNumberLiteral(String(b));
        expect(left && right && Math.sign(compareNumbers(left, right))).toBe(
          a < b ? -1 : a > b ? 1 : 0,
        );
      }),
    );
  });
});

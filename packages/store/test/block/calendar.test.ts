import * as fc from "fast-check";
import { expect, test } from "vitest";
import { civilDay, weekday } from "../../src/block/calendar.ts";

test("any day of the range of times has the date and the weekday that Date gives it", () => {
  fc.assert(
    fc.property(fc.integer({ min: -60_000, max: 60_000 }), (days) => {
      const date = new Date(days * 86_400_000);
      expect(civilDay(days)).toEqual({
        year: date.getUTCFullYear(),
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
      });
      expect(weekday(days)).toBe(date.getUTCDay());
    }),
  );
});

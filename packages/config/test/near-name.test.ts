import { expect, test } from "vitest";
import { nearName } from "../src/near-name.ts";

const KEYS = ["keep", "max_size", "min_free", "rules", "listen", "data_dir"];

test.each([
  ["kep", "keep"],
  ["keeep", "keep"],
  ["kepe", "keep"],
  ["maxSize", "max_size"],
  ["MAX-SIZE", "max_size"],
  ["min_fre", "min_free"],
  ["lisetn", "listen"],
  ["datadir", "data_dir"],
  ["rule", "rules"],
  ["ruels", "rules"],
  ["xyz", undefined],
  ["r", undefined],
  ["", undefined],
  ["retention", undefined],
])("%j was meant to be %j", (name, expected) => {
  expect(nearName(name, KEYS)).toBe(expected);
});

test("the nearest wins, and of equally near names the first", () => {
  expect(nearName("hosts", ["ghost", "host"])).toBe("host");
  expect(nearName("hast", ["host", "hest"])).toBe("host");
});

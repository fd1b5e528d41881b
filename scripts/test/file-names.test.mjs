import { expect, test } from "vitest";

import { fileNameViolation } from "../file-names.mjs";

test.each([
  "packages/store/src/head.ts",
  "packages/store/src/writer-thread.ts",
  "packages/store/test/writer-thread.test.ts",
  "packages/query/src/utilization.ts",
  "scripts/check.mjs",
])("%s is a name for one noun", (path) => {
  expect(fileNameViolation(path, "")).toBeUndefined();
});

test.each([
  ["packages/store/src/headFile.ts", "not kebab-case"],
  ["packages/store/src/Head.ts", "not kebab-case"],
  ["packages/store/src/head_file.ts", "not kebab-case"],
  ["packages/store/src/utils.ts", '"utils" names no noun'],
  ["packages/store/src/string-utils.ts", '"string-utils" names no noun'],
  ["packages/store/src/helpers/head.ts", '"helpers" names no noun'],
  ["packages/store/test/test-helper.ts", '"test-helper" names no noun'],
  ["packages/store/src/common.ts", '"common" names no noun'],
  ["packages/store/src/misc.ts", '"misc" names no noun'],
])("%s is refused", (path, why) => {
  expect(fileNameViolation(path, "")).toContain(why);
});

test.each([
  [400, undefined],
  [401, "packages/store/src/head.ts: 401 lines, at most 400"],
])("a file of %d lines: %s", (lines, violation) => {
  expect(fileNameViolation("packages/store/src/head.ts", "x\n".repeat(lines))).toBe(violation);
});

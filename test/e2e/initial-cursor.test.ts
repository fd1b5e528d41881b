import { expect, test } from "vitest";

import { findInitialCursorProblems } from "../src/initial-cursor.ts";
import { PRODUCT } from "../src/product.ts";
import { tracingRefused } from "../src/system-trace.ts";

test("the place where reading begins outlives an agent that is killed before any ack", async (context) => {
  expect(await findInitialCursorProblems(PRODUCT)).toEqual([]);
  const refused = tracingRefused();
  if (refused !== undefined) context.skip(`that it is synced first: ${refused}`);
});

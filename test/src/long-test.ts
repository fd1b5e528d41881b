import type { TestContext } from "vitest";

/** Set where time does not matter: then `npm test` leaves nothing out, and takes longer than six minutes. */
const WANTS_ALL = process.env["SLUICE_LONG_TESTS"] === "1";

/** Begins a test that takes long, and whose ground shorter ones cover in part: it runs where all are wanted. */
export function onlyWhereAllAreWanted(context: TestContext): void {
  if (!WANTS_ALL) context.skip("it takes long: SLUICE_LONG_TESTS=1 npm test runs it too");
}

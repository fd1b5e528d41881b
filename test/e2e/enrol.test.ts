import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

import {
  refuseKeys,
  refuseOldKeys,
  refuseStrangers,
  refuseTokens,
} from "../src/enrol/refusal-run.ts";
import { ON_LOOPBACK } from "../src/enrol/refusal-site.ts";

/** `pnpm faults enrol` does the same over a network, with a man in the middle that takes the address. */
test.each([
  ["an enrolled host ships by TLS; a used, an expired, an unknown token is refused", refuseTokens],
  ["a cloned state folder and a revoked key are refused, within five seconds", refuseKeys],
  ["a key that was replaced is refused; the agent goes on with the new one", refuseOldKeys],
  ["neither token nor key reaches a stranger with another certificate", refuseStrangers],
])("%s", async (_, run) => {
  const dir = mkdtempSync(join(tmpdir(), "sluice-enrol-"));
  try {
    const refusals = await run(dir, ON_LOOPBACK);
    expect(refusals.filter(({ problem }) => problem !== undefined)).toEqual([]);
    expect(refusals.length).toBeGreaterThan(5);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

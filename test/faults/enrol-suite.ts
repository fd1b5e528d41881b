import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Network, NO_NETWORKS } from "../src/enrol/network.ts";
import {
  refuseKeys,
  refuseOldKeys,
  refuseStrangers,
  refuseTokens,
} from "../src/enrol/refusal-run.ts";
import { ON_LOOPBACK, type RefusalPlaces } from "../src/enrol/refusal-site.ts";

/**
 * Enrolment between hosts in networks of their own: a collector, a host, and a stranger that takes
 * the collector's address over; on loopback where no networks can be made.
 */
export async function runEnrolSuite(): Promise<boolean> {
  using network = Network.make();
  if (network === undefined) {
    console.log(`on loopback: another network ${NO_NETWORKS}`);
  }
  const places = placesIn(network);
  let isGood = true;
  // The stranger last: from then on the collector's address is not its own.
  for (const run of [refuseTokens, refuseKeys, refuseOldKeys, refuseStrangers]) {
    const dir = mkdtempSync(join(tmpdir(), "sluice-enrol-"));
    try {
      for (const { attempt, said, problem } of await run(dir, places)) {
        isGood &&= problem === undefined;
        const [first = ""] = said.split("\n");
        console.log(`${problem === undefined ? "ok  " : "FAIL"}  ${attempt}: ${first}`);
        if (problem !== undefined) {
          console.log(`      ${problem}\n${said}`);
        }
      }
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }
  return isGood;
}

function placesIn(network: Network | undefined): RefusalPlaces {
  if (network === undefined) {
    return ON_LOOPBACK;
  }
  const [collector, host, stranger] = [network.host(), network.host(), network.host()];
  return {
    collector,
    host,
    stranger,
    intrude: () => network.takeOver(collector.address, collector, stranger),
  };
}

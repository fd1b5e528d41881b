/**
 * Asks the registry for advisories about the libraries that the products bring along. Exit code 0:
 * none; 1: some, listed; 3: the registry could not be asked, which is no answer and is said.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { ROOT } from "./supply/production-packages.mjs";

const WITHIN_MS = 10_000;
/** check.mjs reports it as skipped. */
const NOT_ASKED = 3;

/** What `pnpm audit --json` printed: a line for each advisory, or undefined where it is no report. */
export function advisoriesOf(output) {
  let report;
  try {
    report = JSON.parse(output);
  } catch {
    return undefined;
  }
  const { advisories, metadata } = report ?? {};
  if (typeof advisories !== "object" || advisories === null || metadata === undefined)
    return undefined;
  return Object.values(advisories).map(
    ({ severity, module_name: name, title, url }) => `${severity}: ${name}: ${title} (${url})`,
  );
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const pnpm = join(ROOT, "node_modules/.bin/pnpm");
  const args = ["audit", "--prod", "--json", "--config.fetch-retries=0"];
  const { stdout, stderr } = spawnSync(pnpm, args, {
    cwd: ROOT,
    encoding: "utf8",
    timeout: WITHIN_MS,
  });
  const advisories = advisoriesOf(stdout ?? "");
  if (advisories === undefined) {
    const said = `${stdout ?? ""}${stderr ?? ""}`.replaceAll(/[\s│×]+/g, " ").trim();
    console.log(`not asked: ${said.slice(0, 200) || "no answer in time"}`);
    process.exitCode = NOT_ASKED;
  } else {
    for (const advisory of advisories) console.error(advisory);
    console.log(`${advisories.length} advisories`);
    process.exitCode = advisories.length > 0 ? 1 : 0;
  }
}

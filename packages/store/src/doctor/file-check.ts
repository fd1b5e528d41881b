import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { type DoctorCheck, Findings } from "./doctor-report.ts";
import { isUnfinished } from "../manifest/segment-folder.ts";
import type { ManifestSnapshot } from "./manifest-snapshot.ts";

/**
 * Compares the files of segments with the manifest.
 *
 * @param files listed before the manifest was read: what has come since is none of this version's
 */
export function checkFiles(
  dataDir: string,
  files: readonly string[],
  manifest: ManifestSnapshot,
): DoctorCheck {
  const findings = new Findings("files");
  const known = new Set(manifest.segments.map(({ path }) => path));
  let unfinished = 0;
  let retired = 0;
  for (const path of files) {
    if (isUnfinished(path) || manifest.announced.has(path)) {
      unfinished += 1;
    } else if (manifest.removed.has(path)) {
      retired += 1;
    } else if (!known.has(path) && existsSync(join(dataDir, path))) {
      findings.problem(`${path}: not in the manifest; the next start moves it to quarantine/`);
    }
  }
  for (const { path, bytes } of manifest.segments) {
    const size = statSync(join(dataDir, path), { throwIfNoEntry: false })?.size;
    if (size === undefined) {
      findings.problem(`${path}: in the manifest, but missing on the disk`);
    } else if (size !== bytes) {
      findings.problem(`${path}: has ${size} bytes instead of ${bytes}`);
    }
  }
  if (unfinished > 0) {
    findings.note(
      `${unfinished} unfinished, of a job under way or a crash; the next start removes them`,
    );
  }
  if (retired > 0) {
    findings.note(`${retired} replaced or dropped; they go when nobody reads them any more`);
  }
  const quarantined = countQuarantined(dataDir);
  if (quarantined > 0) {
    findings.note(`${quarantined} in quarantine/: what could not be read, or was not known`);
  }
  return findings.done(
    `${manifest.segments.length} segments in the manifest, ${files.length} files`,
  );
}

function countQuarantined(dataDir: string): number {
  const folder = join(dataDir, "quarantine");
  return existsSync(folder) ? readdirSync(folder).length : 0;
}

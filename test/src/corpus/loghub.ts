import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * Where the sample corpus lies (the 2,000-line samples of github.com/logpai/loghub):
 * `SLUICE_LOGHUB`, else beside the repository.
 */
export const LOGHUB_DIR: string =
  process.env["SLUICE_LOGHUB"] ??
  fileURLToPath(new URL("../../../../shared/corpus/loghub", import.meta.url));

/** Why tests that need the corpus cannot run here, or undefined where they can. */
export const LOGHUB_MISSING: string | undefined = existsSync(LOGHUB_DIR)
  ? undefined
  : `no sample corpus at ${LOGHUB_DIR}; set SLUICE_LOGHUB to the folder of loghub's *_2k.log files`;

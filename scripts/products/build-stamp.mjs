import { run } from "./command.mjs";

/**
 * What the products say they were built from, and the time that is written into them. Both are of the commit, not
 * of the clock, so that the same commit gives the same bytes; SOURCE_DATE_EPOCH wins
 * (https://reproducible-builds.org/specs/source-date-epoch/), for sources without git.
 *
 * @returns {{ commit: string, date: string, epochSeconds: number }}
 */
export function readBuildStamp(root, env = process.env) {
  const git = (...args) => run("git", ["-C", root, ...args]).trim();
  let commit = "unknown";
  let epochSeconds = Number(env.SOURCE_DATE_EPOCH);
  try {
    const isDirty = git("status", "--porcelain") !== "";
    commit = git("rev-parse", "--short=12", "HEAD") + (isDirty ? "-dirty" : "");
    if (!env.SOURCE_DATE_EPOCH) epochSeconds = Number(git("show", "-s", "--format=%ct"));
  } catch (error) {
    if (!env.SOURCE_DATE_EPOCH) {
      throw new Error("there is no git here to date the products by: set SOURCE_DATE_EPOCH", {
        cause: error,
      });
    }
  }
  if (!Number.isSafeInteger(epochSeconds)) {
    throw new Error(`SOURCE_DATE_EPOCH is not a number of seconds: ${env.SOURCE_DATE_EPOCH}`);
  }
  const date = new Date(epochSeconds * 1000).toISOString().slice(0, 10);
  return { commit, date, epochSeconds };
}

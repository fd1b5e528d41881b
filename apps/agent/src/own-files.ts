import { fstatSync, realpathSync } from "node:fs";
import type { OwnFiles } from "@sluice/tail";

/** Where what the agent says of itself goes. */
const OUTPUTS = [1, 2];

/** What the agent writes: to ship that would make more of it, for ever. */
export function ownFiles(stateDir: string): OwnFiles {
  const files = OUTPUTS.map((fd) => fstatSync(fd, { bigint: true }))
    .filter((stats) => stats.isFile())
    .map(({ dev, ino }) => ({ dev, ino }));
  return { folders: [realpathSync(stateDir)], files };
}

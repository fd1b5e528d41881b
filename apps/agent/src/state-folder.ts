import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "@sluice/service";

export function statePathIn(stateDir: string): string {
  return join(stateDir, "state.json");
}

/** Nothing but the state folder is written or read in full at a start. */
export function describeStateError(stateDir: string, error: unknown): unknown {
  if (error instanceof Failure || !(error instanceof Error) || !("code" in error)) {
    return error;
  }
  return new Failure(
    `cannot use state_dir ${stateDir}: ${error.message}`,
    "make sure that its disk has room and that the agent's user may write there",
    undefined,
    { cause: error },
  );
}

/** @throws Failure */
export async function makeStateDir(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Failure(
      `cannot create state_dir ${path}: ${(error as Error).message}`,
      "create it for the agent's user, or set state_dir to a folder it may write",
      undefined,
      { cause: error },
    );
  }
}

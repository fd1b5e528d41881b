import { EXIT, Failure, sayFailure } from "@sluice/service";
import { SearchError, StoreError } from "@sluice/store";
import { CommanderError } from "commander";

import { searchAdvice } from "./api/api-error.ts";

/**
 * Says on stderr why a command failed and returns the exit code: two lines for what a person can
 * mend, a stack only for what is our fault.
 */
export function report(error: unknown): number {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage; // commander has said it already
  }
  if (error instanceof Failure || error instanceof StoreError) {
    sayFailure("sluice", `${error.message}\n  ${error.advice}`);
    return error instanceof Failure ? error.exitCode : EXIT.failed;
  }
  if (error instanceof SearchError) {
    sayFailure("sluice", `${error.message}\n  ${searchAdvice(error.code)}`);
    return EXIT.failed;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  sayFailure("sluice", `unexpected failure, please report it\n${detail}`);
  return EXIT.failed;
}

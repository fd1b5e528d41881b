import type { IncomingMessage } from "node:http";
import { LIMITS } from "@sluice/protocol";

export const TOO_MANY_HEADERS = `more than ${LIMITS.headersCount} headers`;

/** Node's own limit leaves out what is beyond it, an Origin for example, and goes on. */
export function hasTooManyHeaders({ rawHeaders }: IncomingMessage): boolean {
  return rawHeaders.length / 2 > LIMITS.headersCount;
}

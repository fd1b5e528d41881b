export { readConfigFile } from "./config-file.ts";
export { EXIT, Failure, sayFailure } from "./failure.ts";
export { packageVersion } from "./package-version.ts";
export { createLog } from "./service-log.ts";
export type { Log } from "./service-log.ts";
export { endWithin, stopSignal } from "./stop-signal.ts";
export { escapeText, UNSAFE_CHARACTERS } from "./terminal-text.ts";
export { parseToken } from "./token.ts";

export { readConfigFile } from "./config-file.ts";
export { EXIT, Failure } from "./failure.ts";
export { packageVersion } from "./package-version.ts";
export { createLog } from "./service-log.ts";
export type { Log } from "./service-log.ts";
export { endWithin, stopSignal } from "./stop-signal.ts";
export { parseToken } from "./token.ts";

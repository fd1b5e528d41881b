export { durationMs, formatDuration, parseDuration } from "./duration.ts";
export type { DurationMs } from "./duration.ts";
export { compileNameGlob, isNameGlob } from "./name-glob.ts";
export { err, ok } from "./result.ts";
export type { Err, Ok, Result } from "./result.ts";
export {
  parseLevel,
  parseLevelRange,
  SEVERITY_MAX,
  severityName,
  syslogSeverity,
} from "./severity.ts";
export type { SeverityName, SeverityRange } from "./severity.ts";
export { byteCount, formatExactSize, formatSize, parseSize } from "./size.ts";
export type { Bytes } from "./size.ts";
export { parseTimeExpression } from "./time-expression.ts";
export type { TimeContext } from "./time-expression.ts";
export { formatTimeRfc3339, isTimeUs, timeUs } from "./time.ts";
export type { TimeUs, Zone } from "./time.ts";

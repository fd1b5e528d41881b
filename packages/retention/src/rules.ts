/**
 * What tells whether a record is kept, by its names, its level and its age: all that a thread of the store needs, without
 * the schema of the configuration, which is most of what it would load.
 */
export { cutoffTable } from "./cutoff.ts";
export type { Cutoffs } from "./cutoff.ts";
export { compileRules } from "./match.ts";
export type { StreamNames } from "./match.ts";
export type { RetentionPolicy } from "./policy.ts";

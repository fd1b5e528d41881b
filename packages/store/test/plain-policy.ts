import type { RetentionPolicyInput } from "@sluice/retention";

import type { LogStream, ModelRecord } from "./stored-log.ts";

/** What retention and filters know of a stream. */
export type Identity = Required<Pick<LogStream, "host" | "source" | "labels">>;

/** Retention as a plain function says it: which rule a record belongs to. */
export interface PlainPolicy {
  readonly input: RetentionPolicyInput;
  readonly ruleOf: (record: ModelRecord, stream: Identity) => number | "default";
}

export const POLICIES: readonly PlainPolicy[] = [
  { input: {}, ruleOf: () => "default" },
  {
    input: { rules: [{ match: { host: "db-*" } }, { match: { level: ">=error" } }] },
    ruleOf: ({ severity }, { host }) => (host === "db-1" ? 0 : severity >= 17 ? 1 : "default"),
  },
  {
    input: { rules: [{ match: { level: "info" } }, { match: { env: "prod" } }] },
    ruleOf: ({ severity }, { labels }) =>
      severity >= 9 && severity <= 12 ? 0 : labels["env"] === "prod" ? 1 : "default",
  },
];

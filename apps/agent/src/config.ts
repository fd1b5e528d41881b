import { durationField } from "@sluice/config";
import * as z from "zod";

/** One glob or a list of them. */
const GLOBS = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

const COLLECTOR_URL = z.string().refine(isCollectorUrl, {
  message: "expected a collector's URL such as ws://127.0.0.1:7514 or wss://logs.example.com",
});

const FILE_SOURCE = z.strictObject({
  file: GLOBS,
  exclude: GLOBS.optional(),
  /** For files that exist at the first start ever; later ones are read from their beginning. */
  start: z.union([z.enum(["end", "beginning"]), durationField]).default("end"),
});

/** `agent.yaml`. Only what this version carries out is accepted: an unknown key is an error. */
export const AGENT_CONFIG = z.strictObject({
  collector: z.union([COLLECTOR_URL, z.array(COLLECTOR_URL).min(1)]).default("ws://127.0.0.1:7514"),
  token_file: z.string().optional(),
  state_dir: z.string().optional(),
  host: z.string().min(1).optional(),
  labels: z.record(z.string(), z.string()).default({}),
  sources: z.array(FILE_SOURCE).default([]),
});

export type AgentConfig = z.infer<typeof AGENT_CONFIG>;

/** A value that may be given alone or as a list. */
export function toList<T>(value: T | readonly T[] | undefined): readonly T[] {
  return value === undefined ? [] : Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

function isCollectorUrl(text: string): boolean {
  return URL.canParse(text) && /^wss?:$/.test(new URL(text).protocol);
}

import { durationField } from "@sluice/config";
import { durationMs } from "@sluice/quantity";
import { parseListen } from "@sluice/service";
import * as z from "zod";

import { SOURCES } from "./source-config.ts";

const COLLECTOR_URL = z.string().refine(isCollectorUrl, {
  message: "expected a collector's URL such as ws://127.0.0.1:7514 or wss://logs.example.com",
});

const LISTEN = z.string().refine((text) => parseListen(text) !== undefined, {
  message: "expected an address such as 127.0.0.1:7515 or [::1]:7515",
});

/** `agent.yaml`. Only what this version carries out is accepted: an unknown key is an error. */
export const AGENT_CONFIG = z.strictObject({
  collector: z.union([COLLECTOR_URL, z.array(COLLECTOR_URL).min(1)]).default("ws://127.0.0.1:7514"),
  token_file: z.string().optional(),
  state_dir: z.string().optional(),
  host: z.string().min(1).optional(),
  labels: z.record(z.string(), z.string()).default({}),
  /** While another collector than the first serves: how often that is tried again. */
  failback: z.union([z.literal("never"), durationField]).default(durationMs(600_000)),
  metrics: z.strictObject({ listen: LISTEN.optional() }).prefault({}),
  sources: SOURCES,
});

export type AgentConfig = z.infer<typeof AGENT_CONFIG>;

function isCollectorUrl(text: string): boolean {
  return URL.canParse(text) && /^wss?:$/.test(new URL(text).protocol);
}

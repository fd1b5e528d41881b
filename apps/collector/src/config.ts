import { retentionPolicySchema } from "@sluice/retention";
import { parseListen } from "@sluice/service";
import * as z from "zod";

export const DEFAULT_PORT = 7514;

const LISTEN = z.string().refine((text) => parseListen(text) !== undefined, {
  message: "expected an address such as 127.0.0.1:7514 or [::1]:7514",
});

/** `collector.yaml`. Only what this version carries out is accepted: an unknown key is an error. */
export const COLLECTOR_CONFIG = z.strictObject({
  listen: LISTEN.default(`127.0.0.1:${DEFAULT_PORT}`),
  data_dir: z.string().optional(),
  retention: retentionPolicySchema.prefault({}),
});

export type CollectorConfig = z.infer<typeof COLLECTOR_CONFIG>;

/** Whether an address is reachable from this machine only. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

import { durationField } from "@sluice/config";
import { LIMITS } from "@sluice/protocol";
import { durationMs } from "@sluice/quantity";
import { parseListen } from "@sluice/service";
import * as z from "zod";

import { fitLabels, LABELS, TOO_MANY_LABELS } from "./labels-config.ts";
import { SOURCES } from "./source-config.ts";

const COLLECTOR_URL = z
  .string()
  .refine(isCollectorUrl, {
    message: "expected a collector's URL such as ws://127.0.0.1:7514 or wss://logs.example.com",
  })
  .refine((text) => !hasCredentials(text), {
    message: "a URL is shown in logs: put the token into the file that token_file names",
  });

/** Node takes a timer beyond 24 days for one of a millisecond. */
const FAILBACK = durationField.refine((ms) => ms >= 100 && ms <= 7 * 24 * 3_600_000, {
  message: "expected 100ms to 7d, or never",
});

const HOST = z.string().refine(isHostName, {
  message: `expected a name of at most ${LIMITS.nameBytes} characters, none of them a control character`,
});

const LISTEN = z.string().refine((text) => parseListen(text) !== undefined, {
  message: "expected an address such as 127.0.0.1:7515 or [::1]:7515",
});

const TLS = z
  .strictObject({
    ca_file: z.string().optional(),
    cert_file: z.string().optional(),
    key_file: z.string().optional(),
  })
  .superRefine(({ cert_file: cert, key_file: key }, context) => {
    if ((cert === undefined) !== (key === undefined)) {
      const missing = cert === undefined ? "cert_file" : "key_file";
      context.addIssue({ code: "custom", path: [missing], message: "is needed beside the other" });
    }
  });

/** `agent.yaml`. Only what this version carries out is accepted: an unknown key is an error. */
export const AGENT_CONFIG = z
  .strictObject({
    collector: z
      .union([COLLECTOR_URL, z.array(COLLECTOR_URL).min(1)])
      .default("ws://127.0.0.1:7514"),
    token_file: z.string().optional(),
    /** Of connections by wss: whom to trust, and what to show. */
    tls: TLS.prefault({}),
    state_dir: z.string().optional(),
    host: HOST.optional(),
    labels: LABELS,
    /** While another collector than the first serves: how often that is tried again. */
    failback: z.union([z.literal("never"), FAILBACK]).default(durationMs(600_000)),
    metrics: z.strictObject({ listen: LISTEN.optional() }).prefault({}),
    sources: SOURCES,
  })
  .superRefine(({ labels, sources }, context) => {
    for (const [index, source] of sources.entries()) {
      if (!fitLabels({ ...labels, ...source.labels })) {
        const path = ["sources", index, "labels"];
        context.addIssue({ code: "custom", path, message: TOO_MANY_LABELS });
      }
    }
  });

export type AgentConfig = z.infer<typeof AGENT_CONFIG>;

function isHostName(text: string): boolean {
  return (
    text !== "" && text.length <= LIMITS.nameBytes && !/\p{Cc}/u.test(text) && text.isWellFormed()
  );
}

function hasCredentials(text: string): boolean {
  return URL.canParse(text) && new URL(text).username + new URL(text).password !== "";
}

function isCollectorUrl(text: string): boolean {
  return URL.canParse(text) && /^wss?:$/.test(new URL(text).protocol);
}

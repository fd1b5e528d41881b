import { isUtf8 } from "node:buffer";
import { formatTimeRfc3339, severityName, timeUs } from "@sluice/quantity";

import { STREAMS } from "./log-lines.ts";
import type { Identity } from "./plain-policy.ts";
import type { ModelRecord } from "./stored-log.ts";

export function streamOf({ agentId, source, generation }: ModelRecord): Identity {
  const stream = STREAMS.find(
    (one) => one.agentId === agentId && one.source === source && one.generation === generation,
  );
  const { host = "", labels = {} } = stream ?? {};
  return { host, source, labels };
}

/** A record as an answer shows it. */
export function rowOf(record: ModelRecord): unknown {
  const { id, seq, severity, attributes } = record;
  const body = Buffer.from(record.body as string);
  const { host, source } = streamOf(record);
  return {
    time: timeText(record.timeUs),
    received: timeText(record.receivedUs),
    host,
    source,
    level: severityName(severity),
    severity,
    id,
    seq,
    ...(isUtf8(body) ? { body: body.toString() } : { bodyBase64: body.toString("base64") }),
    ...(attributes !== undefined && { attributes: { ...attributes } }),
  };
}

export function timeText(us: number): string {
  return formatTimeRfc3339(timeUs(us), "utc");
}

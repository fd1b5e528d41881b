import { retentionPolicySchema } from "@sluice/retention";
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

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `HOST:PORT`, an IPv6 host in brackets; undefined where the text is neither. */
export function parseListen(text: string): ListenAddress | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port > 65_535 ? undefined : { host, port };
}

/** What `parseListen` reads back. */
export function formatListen({ host, port }: ListenAddress): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Whether an address is reachable from this machine only. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

import { retentionPolicySchema } from "@sluice/retention";
import { parseListen } from "@sluice/service";
import * as z from "zod";

export const DEFAULT_PORT = 7514;

/** Where the package of the collector puts the agent's builds. */
export const DEFAULT_PRODUCTS_DIR = "/usr/share/sluice/agent";

const LISTEN = z.string().refine((text) => parseListen(text) !== undefined, {
  message: "expected an address such as 127.0.0.1:7514 or [::1]:7514",
});

const PUBLIC_URL = z.string().refine(isPublicUrl, {
  message: "expected the address that agents use, such as https://logs.example.net:7514",
});

/** Both or neither: a certificate is of no use without its key. */
const TLS = z
  .strictObject({
    cert_file: z.string().optional(),
    key_file: z.string().optional(),
    ca_file: z.string().optional(),
    client_ca_file: z.string().optional(),
  })
  .superRefine(({ cert_file: cert, key_file: key, ...others }, context) => {
    if ((cert === undefined) !== (key === undefined)) {
      const missing = cert === undefined ? "cert_file" : "key_file";
      context.addIssue({ code: "custom", path: [missing], message: "is needed beside the other" });
    } else if (cert === undefined && Object.keys(others).length > 0) {
      const message = "is of no use without tls.cert_file and tls.key_file";
      context.addIssue({ code: "custom", path: [Object.keys(others)[0] ?? ""], message });
    }
  });

/** `collector.yaml`. Only what this version carries out is accepted: an unknown key is an error. */
export const COLLECTOR_CONFIG = z.strictObject({
  listen: LISTEN.default(`127.0.0.1:${DEFAULT_PORT}`),
  data_dir: z.string().optional(),
  /** Where agents reach the collector; by default the certificate's first name and the port. */
  public_url: PUBLIC_URL.optional(),
  /** Holds what `/download` serves: the agent's builds. */
  products_dir: z.string().default(DEFAULT_PRODUCTS_DIR),
  tls: TLS.prefault({}),
  retention: retentionPolicySchema.prefault({}),
});

export type CollectorConfig = z.infer<typeof COLLECTOR_CONFIG>;

function isPublicUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return (
    (url?.protocol === "https:" || url?.protocol === "http:") &&
    url.username + url.password + url.search + url.hash === ""
  );
}

/** Whether an address is reachable from this machine only. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

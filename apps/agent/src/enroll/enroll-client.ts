import { createHash, X509Certificate } from "node:crypto";
import { EXIT, Failure } from "@sluice/service";
import * as z from "zod/mini";

import { askCollector, type CollectorAnswer, type CollectorRequest } from "../collector-request.ts";
import { describeTlsError } from "../link-advice.ts";
import type { TlsIdentity } from "../tls-identity.ts";

const ENROLLED = z.object({ agentId: z.string(), host: z.string() });
const REFUSAL = z.object({ code: z.string(), message: z.string(), advice: z.string() });

export type Enrolled = z.infer<typeof ENROLLED>;

/** Where a collector is, and whom to trust there. */
export interface EnrollLink {
  readonly collector: string;
  readonly tls: TlsIdentity;
  /** For messages. */
  readonly caFile: string | undefined;
}

/** What the collector knows of a key; undefined where it does not take it. @throws Failure */
export async function whoIs(link: EnrollLink, key: string): Promise<Enrolled | undefined> {
  const answer = await ask(link, { method: "GET", path: "/enroll", token: key, tls: link.tls });
  if (answer.status === 401 || answer.status === 403 || answer.status === 429) {
    return undefined;
  }
  return read(link, answer);
}

/** Exchanges an enrolment token for the right to use a key. @throws Failure that says what to do */
export async function exchange(
  link: EnrollLink,
  token: string,
  request: { readonly agentId: string; readonly host: string; readonly keyHash: string },
): Promise<Enrolled> {
  const { tls } = link;
  return read(
    link,
    await ask(link, { method: "POST", path: "/enroll", token, body: request, tls }),
  );
}

/** Has a key added beside the one in use. @throws Failure */
export async function addKey(link: EnrollLink, key: string, keyHash: string): Promise<void> {
  const { tls } = link;
  const answer = await ask(link, {
    method: "POST",
    path: "/rotate",
    token: key,
    body: { keyHash },
    tls,
  });
  if (answer.status !== 200) {
    throw refusal(link, answer);
  }
}

/**
 * Fetches the collector's authority and holds it against the fingerprint that the administrator gave:
 * until it matches, nothing is believed and nothing is sent.
 *
 * @throws Failure
 */
export async function fetchAuthority(collector: string, fingerprint: string): Promise<string> {
  const link = { collector, tls: {}, caFile: undefined };
  const answer = await ask(link, {
    method: "GET",
    path: "/ca.pem",
    tls: { rejectUnauthorized: false },
  });
  const found = answer.status === 200 ? fingerprintOf(answer.body) : undefined;
  if (found === undefined) {
    throw new Failure(
      `${collector} gives no authority of its own`,
      "leave --fingerprint out where its certificate is signed by one that systems know",
    );
  }
  if (found !== fingerprint) {
    throw new Failure(
      `the authority of ${collector} has another fingerprint: ${found}`,
      "nothing was sent to it. Compare the fingerprint with `sluice doctor` on the collector: somebody may stand between",
    );
  }
  return answer.body;
}

/** `sha256:` and 64 digits; undefined for a text that is no certificate. */
function fingerprintOf(pem: string): string | undefined {
  try {
    const { raw } = new X509Certificate(pem);
    return `sha256:${createHash("sha256").update(raw).digest("hex")}`;
  } catch {
    return undefined;
  }
}

async function ask(link: EnrollLink, request: CollectorRequest): Promise<CollectorAnswer> {
  const { collector, caFile } = link;
  try {
    return await askCollector(collector, request);
  } catch (error) {
    const cause = error as NodeJS.ErrnoException;
    const known = describeTlsError(cause, collector, caFile);
    throw new Failure(
      known?.message ?? `${collector} cannot be reached: ${cause.message || (cause.code ?? "")}`,
      known?.advice ?? "check the URL, that the collector runs, and that no firewall is between",
      EXIT.failed,
      { cause },
    );
  }
}

function read(link: EnrollLink, answer: CollectorAnswer): Enrolled {
  const enrolled = ENROLLED.safeParse(parseJson(answer.body));
  if (answer.status !== 200 || !enrolled.success) {
    throw refusal(link, answer);
  }
  return enrolled.data;
}

function refusal({ collector }: EnrollLink, { status, body }: CollectorAnswer): Failure {
  const said = REFUSAL.safeParse(parseJson(body));
  return said.success
    ? new Failure(said.data.message, said.data.advice)
    : new Failure(
        `what answers at ${collector} (${status}) is not a Sluice collector that enrols agents`,
        "check the address and the port; an older collector has to be upgraded first",
      );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

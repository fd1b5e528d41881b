import { createPublicKey, X509Certificate } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";

import { keyFilePath, readKeyFile } from "../access/key-file.ts";
import { isLoopback } from "../config.ts";
import { namesOf } from "../server/reach.ts";
import type { CollectorSettings } from "../settings.ts";
import { fingerprintOf, readTlsFiles, type TlsMaterial } from "../tls/tls-files.ts";
import type { DoctorReport } from "./doctor-report.ts";

/** A check of who is let in, with what to do about its first problem. */
interface AccessCheck {
  readonly check: DoctorReport["checks"][number];
  readonly advice: string | undefined;
}

type Settings = Pick<CollectorSettings, "listen" | "tls" | "publicUrl" | "dataDir">;

const DAY_MS = 86_400_000;

/** Before that the collector has had months to renew its own. */
const RENEW_WITHIN_MS = 14 * DAY_MS;

/** A clone that was seen longer ago has been dealt with, or is no more. */
const CLONE_MATTERS_MS = 7 * DAY_MS;

/** Adds to what the store's doctor says: transport, secrets on the disk, agents. */
export async function withAccessChecks(
  report: DoctorReport,
  settings: Settings | undefined,
  nowMs: number,
): Promise<DoctorReport> {
  const { dataDir } = report;
  const access = [
    ...(settings === undefined ? [] : [await checkTransport(settings, nowMs)]),
    await checkSecrets(dataDir),
    ...(await checkAgents(dataDir, nowMs)),
  ];
  const found = access.reduce((sum, { check }) => sum + check.problemCount, 0);
  const problems = report.problems + found;
  return {
    ...report,
    checks: [...report.checks, ...access.map(({ check }) => check)],
    problems,
    verdict: found === 0 ? report.verdict : `${problems} problem${problems === 1 ? "" : "s"} found`,
    // What is stored goes first.
    advice: report.advice ?? access.find(({ advice }) => advice !== undefined)?.advice ?? null,
  };
}

async function checkTransport(settings: Settings, nowMs: number): Promise<AccessCheck> {
  const { tls, listen } = settings;
  if (tls === undefined) {
    return isLoopback(listen.host)
      ? result("tls", "none: it listens on this machine only", [])
      : result("tls", `none, and it listens on ${listen.host}`, [
          {
            problem: "tokens and logs can be read on the way",
            advice: "make certificates: sluice init",
          },
        ]);
  }
  let material: TlsMaterial;
  try {
    material = await readTlsFiles(tls);
  } catch (error) {
    const { message, advice = "" } = error as Error & { readonly advice?: string };
    return result("tls", "the certificate cannot be used", [{ problem: message, advice }]);
  }
  const { certificate, ca } = material;
  const names = namesOf(certificate);
  const leftMs = certificate.validToDate.getTime() - nowMs;
  const until = certificate.validToDate.toISOString().slice(0, 10);
  const host = settings.publicUrl === undefined ? undefined : hostOf(settings.publicUrl);
  const isNamed = host === undefined || isFor(certificate, host);
  return result(
    "tls",
    `a certificate for ${names.join(", ")}, until ${until}`,
    [
      leftMs < RENEW_WITHIN_MS && {
        problem:
          leftMs < 0
            ? `it expired on ${until}`
            : `it expires in ${Math.floor(leftMs / DAY_MS)} days`,
        advice: "renew it: sluice init --renew, or by what made it",
      },
      certificate.validFromDate.getTime() > nowMs && {
        problem: "it is not valid yet",
        advice: "set this machine's clock: timedatectl set-ntp true",
      },
      !isNamed && {
        problem: `it is not for ${host ?? ""}, which public_url names`,
        advice: `add the name: sluice init --name ${host ?? ""}`,
      },
      ca !== undefined &&
        !isSignedBy(certificate, ca) && {
          problem: `${tls.caFile ?? ""} has not signed it: agents that are told to trust it are not`,
          advice: "name its authority in tls.ca_file, or leave that out where systems know it",
        },
    ],
    ca === undefined ? [] : [`authority ${fingerprintOf(ca)}`],
  );
}

/** What others must not read, by their mode. */
async function checkSecrets(dataDir: string): Promise<AccessCheck> {
  const paths = [
    keyFilePath(dataDir),
    join(dataDir, "local.token"),
    ...(await filesIn(join(dataDir, "tokens"))),
    ...(await filesIn(join(dataDir, "tls"))).filter((path) => path.endsWith(".key")),
  ];
  const found = await Promise.all(
    paths.map(async (path) => ({ path, mode: (await stat(path).catch(() => undefined))?.mode })),
  );
  const there = found.filter(({ mode }) => mode !== undefined);
  const open = there.filter(({ mode = 0 }) => (mode & 0o077) !== 0);
  return result(
    "secrets",
    there.length === 0 ? "none yet" : `${there.length} files, read by their owner alone`,
    open.map(({ path, mode = 0 }) => ({
      problem: `${path} has mode ${(mode & 0o777).toString(8)}`,
      advice: `take it from the others: chmod 600 ${path}`,
    })),
  );
}

async function checkAgents(dataDir: string, nowMs: number): Promise<readonly AccessCheck[]> {
  const keys = await readKeyFile(dataDir).catch(() => undefined);
  if (keys === undefined || keys.agents.length === 0) {
    return [];
  }
  const { agents } = keys;
  const revoked = agents.filter(({ revokedMs }) => revokedMs !== null).length;
  const summary = `${agents.length - revoked} enrolled${revoked === 0 ? "" : `, ${revoked} revoked`}`;
  const clones = agents.filter(
    ({ cloneSeenMs }) => cloneSeenMs !== null && nowMs - cloneSeenMs < CLONE_MATTERS_MS,
  );
  return [
    result(
      "agents",
      summary,
      clones.map(({ host, agentId }) => ({
        problem: `${host} (${agentId}) was there twice: its state folder was copied`,
        advice:
          "on the copy move state_dir away and enrol it: it then begins as an agent of its own",
      })),
    ),
  ];
}

interface Finding {
  readonly problem: string;
  readonly advice: string;
}

function result(
  name: string,
  summary: string,
  findings: readonly (Finding | false)[],
  notes: string[] = [],
): AccessCheck {
  const found = findings.filter((finding) => finding !== false);
  const problems = found.map(({ problem }) => problem);
  return {
    check: { name, summary, problems, problemCount: problems.length, notes },
    advice: found[0]?.advice,
  };
}

function isSignedBy(certificate: X509Certificate, ca: string): boolean {
  const authority = new X509Certificate(ca);
  return certificate.checkIssued(authority) && certificate.verify(createPublicKey(ca));
}

function isFor(certificate: X509Certificate, host: string): boolean {
  return (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined;
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, "");
}

async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.map((name) => join(folder, name));
}

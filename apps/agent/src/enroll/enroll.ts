import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { EXIT, escapeLines, Failure, parseToken, replaceFile } from "@sluice/service";

import { reserveAgentId } from "../agent-id.ts";
import type { AgentSettings } from "../agent-settings.ts";
import { makeStateDir } from "../state-folder.ts";
import { readTlsIdentity } from "../tls-identity.ts";
import { AgentKey, type FileOwner, hashKey } from "./agent-key.ts";
import {
  type Enrolled,
  type EnrollLink,
  exchange,
  fetchAuthority,
  whoIs,
} from "./enroll-client.ts";

export interface EnrollOptions {
  /** `sha256:` and the digest of the authority's certificate, in place of the file. */
  readonly fingerprint: string | undefined;
  /** File that holds the enrolment token; undefined reads it from stdin. */
  readonly enrollTokenFile: string | undefined;
}

/**
 * `sluice-agent enroll`: exchanges an enrolment token for a key of this agent's own. Writes the key
 * (and the agent's id, and an authority that a fingerprint was given for) and nothing else; where
 * the collector takes the key that is there already, it says so and leaves everything as it is.
 *
 * @throws Failure that says what to do
 */
export async function enrollAgent(settings: AgentSettings, options: EnrollOptions): Promise<void> {
  const { tokenFile, stateDir, host } = settings;
  if (tokenFile === undefined) {
    throw new Failure(
      "no place for the key is configured",
      `set token_file in agent.yaml, such as ${join(stateDir, "agent.key")}`,
      EXIT.config,
    );
  }
  const owner = await ownerOf(stateDir);
  const key = new AgentKey(tokenFile, owner);
  for (const collector of settings.collectors) {
    const link = await openLink(settings, collector, options.fingerprint);
    const current = await key.current();
    const known = current === undefined ? undefined : await whoIs(link, current);
    if (known !== undefined) {
      say(`enrolled already: ${collector} knows this host as ${known.host} (${known.agentId})`);
      continue;
    }
    const token = await readEnrolmentToken(options.enrollTokenFile);
    await makeStateDir(stateDir);
    const agentId = await reserveAgentId(join(stateDir, "agent-id"), owner);
    const fresh = current ?? (await key.pending());
    const enrolled = await exchange(link, token, {
      agentId,
      host,
      keyHash: hashKey(fresh),
    });
    if (current === undefined) {
      await key.commit();
    }
    sayEnrolled(collector, enrolled, tokenFile);
  }
}

/** Root enrols for the agent's user: what it writes is that user's, whose the state folder is. */
async function ownerOf(stateDir: string): Promise<FileOwner | undefined> {
  return process.geteuid?.() === 0 ? stat(stateDir).catch(() => undefined) : undefined;
}

function sayEnrolled(collector: string, { host, agentId }: Enrolled, tokenFile: string): void {
  say(`enrolled at ${collector} as ${host} (${agentId}); the key is in ${tokenFile}`);
}

function say(line: string): void {
  process.stdout.write(`${process.stdout.isTTY ? escapeLines(line) : line}\n`);
}

async function openLink(
  settings: AgentSettings,
  collector: string,
  fingerprint: string | undefined,
): Promise<EnrollLink> {
  const { tlsFiles } = settings;
  const { caFile } = tlsFiles;
  if (fingerprint === undefined) {
    return { collector, tls: await settings.tls(), caFile };
  }
  const wanted = fingerprint.toLowerCase().replaceAll(/(?<=^sha256:.*):/g, "");
  if (!/^sha256:[0-9a-f]{64}$/.test(wanted)) {
    throw new Failure(
      "this is not a fingerprint",
      "write it as sha256: and 64 hexadecimal digits, as `sluice doctor` prints it on the collector",
      EXIT.usage,
    );
  }
  if (!collector.startsWith("wss:")) {
    throw new Failure(
      `${collector} has no certificate whose fingerprint could be compared`,
      "use wss://, or leave --fingerprint out",
      EXIT.usage,
    );
  }
  const ca = await fetchAuthority(collector, wanted);
  if (caFile !== undefined) {
    await keepAuthority(caFile, ca);
  }
  const own = await readTlsIdentity({ ...tlsFiles, caFile: undefined });
  return { collector, tls: { ...own, ca }, caFile };
}

/** Where the configuration names a file for it that is not there yet. */
async function keepAuthority(caFile: string, ca: string): Promise<void> {
  try {
    await readFile(caFile);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
      throw error;
    }
    await replaceFile(caFile, ca, 0o644);
  }
}

/** From the file, or from stdin: never from the command line, which every user of the host can read. */
async function readEnrolmentToken(file: string | undefined): Promise<string> {
  if (file === undefined && process.stdin.isTTY) {
    process.stderr.write("Paste the enrolment token, then Ctrl-D: ");
  }
  let given: string;
  try {
    given = file === undefined ? await text(process.stdin) : await readFile(file, "utf8");
  } catch (error) {
    throw new Failure(
      `cannot read the enrolment token: ${(error as Error).message}`,
      "name its file with --enroll-token-file, or give it on stdin",
      EXIT.usage,
      { cause: error },
    );
  }
  const token = parseToken(given);
  if (token === undefined) {
    throw new Failure(
      "no enrolment token was given",
      "take the line that `sluice enroll new` prints on the collector, or give its token on stdin",
      EXIT.usage,
    );
  }
  return token;
}

import type { MintedEnrolment } from "../access/access-report.ts";
import { quoteForShell } from "./install-script.ts";

/** What a person pastes on a host: the same download twice, once to be read and once to be run. */
export interface InstallLines {
  readonly install: string;
  readonly read: string;
}

type Wanted = Pick<MintedEnrolment, "url" | "ca" | "token">;

/**
 * The line that installs and enrols an agent. Everything happens in a private folder: the collector's
 * authority is written there out of the line itself, so that curl or wget believe no other, and the
 * token goes by a pipe: no argument of a process, no address, no file that another user can read. Where there is no sudo, whoever pastes it has to be root.
 */
export function installLines({ url, ca, token }: Wanted): InstallLines {
  const fetch = [
    "umask 077",
    "d=$(mktemp -d)",
    `trap 'rm -rf "$d"' EXIT`,
    ...(ca === null ? [] : [`printf '%s\\n' ${pemWords(ca)} >"$d/ca.pem"`]),
    `{ ${curl(url, ca)} || ${wget(url, ca)}; }`,
  ].join(" && ");
  return {
    read: `(${fetch} && less "$d/install.sh")`,
    install: `(${fetch} && printf '%s\\n' ${quoteForShell(token)} | $(command -v sudo) sh "$d/install.sh"${ca === null ? "" : ' "$d/ca.pem"'})`,
  };
}

/** `--capath` of an empty-handed folder, too: with `--cacert` alone Debian's curl goes on trusting the system's. */
function curl(url: string, ca: string | null): string {
  const trust = ca === null ? "" : '--cacert "$d/ca.pem" --capath "$d" ';
  return `curl -fsS ${trust}-o "$d/install.sh" ${quoteForShell(`${url}/install.sh`)}`;
}

function wget(url: string, ca: string | null): string {
  const trust = ca === null ? "" : '--ca-certificate="$d/ca.pem" --ca-directory="$d" ';
  return `wget -q ${trust}-O "$d/install.sh" ${quoteForShell(`${url}/install.sh`)}`;
}

/** The lines of a certificate as words, so that they stay lines in one line. */
function pemWords(pem: string): string {
  return pem
    .trim()
    .split("\n")
    .map((line) => (line.startsWith("-----") ? `'${line}'` : line))
    .join(" ");
}

import { lookup, lookupService } from "node:dns/promises";
import { isIP } from "node:net";
import { hostname, networkInterfaces } from "node:os";

/** Always in the certificate, for commands on the collector's own machine. */
export const LOCAL_NAMES: readonly string[] = ["localhost", "127.0.0.1", "::1"];

/** Names and addresses by which other hosts may reach this one, the most useful first. */
export async function findHostNames(): Promise<string[]> {
  const short = hostname();
  const full = await fullName(short);
  const addresses = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter(({ internal, address }) => !internal && !/^(fe80:|169\.254\.)/i.test(address))
    .map(({ address }) => address);
  return [...new Set([...(full === undefined ? [] : [full]), short, ...addresses])].filter(
    isHostName,
  );
}

/** A DNS name or an IP address that a certificate can be for. */
export function isHostName(name: string): boolean {
  const label = /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/;
  const labels = name.replace(/^\*\./, "").split(".");
  return isIP(name) !== 0 || (name.length <= 253 && labels.every((each) => label.test(each)));
}

/** As `hostname -f` finds it: the name that the address of this host leads back to. */
async function fullName(short: string): Promise<string | undefined> {
  try {
    const { address } = await lookup(short);
    const { hostname: name } = await lookupService(address, 0);
    return name.startsWith(`${short}.`) ? name : undefined;
  } catch {
    return undefined; // No resolver knows it: the short name is what there is.
  }
}

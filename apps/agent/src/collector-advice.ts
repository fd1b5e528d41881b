import { CLOSE_CODES, CLOSE_NOTES, HTTP_STATUSES } from "@sluice/protocol";

/** What a close code of ours means, and what to do about it; undefined for any other. */
export function closeNote(
  code: number,
): { meaning: string; reaction: string; isHopeless: boolean } | undefined {
  const entry = Object.entries(CLOSE_CODES).find(([, value]) => value === code);
  if (entry === undefined) {
    return undefined;
  }
  const name = entry[0] as keyof typeof CLOSE_CODES;
  const isHopeless =
    name === "cloneRefused" || name === "unauthenticated" || name === "protocolVersion";
  return { ...CLOSE_NOTES[name], isHopeless };
}

/** What to do about an HTTP status that came in place of a connection; undefined where waiting mends it. */
export function adviceForStatus(status: number): string | undefined {
  switch (status) {
    case HTTP_STATUSES.unauthenticated:
      return "enrol this host (`sluice enroll new` on the collector prints the line), or compare token_file with the token that it is to be";
    case HTTP_STATUSES.originForbidden:
      return "something between adds an Origin header: connect without that proxy";
    case HTTP_STATUSES.notFound:
    case HTTP_STATUSES.badRequest:
      return "this is not a Sluice collector: check `collector` in the configuration";
    case HTTP_STATUSES.upgradeRequired:
      return "the collector speaks another version of the protocol: upgrade the older of the two";
    case HTTP_STATUSES.headersTooLarge:
      return "something between adds too many headers: connect without that proxy";
    case HTTP_STATUSES.tooManyRequests:
      return "too many failed attempts from this address: mend the token and wait a minute";
    default:
      return undefined;
  }
}

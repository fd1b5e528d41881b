import { describeTlsFault, type TlsFault } from "@sluice/service";

const ADVICE = {
  unnamed:
    "if the collector has an authority of its own, name it in tls.ca_file; otherwise somebody stands between",
  stranger:
    "nothing was sent to it. Somebody may stand between; if the collector was set up anew, enrol this host again: `sluice enroll new`",
  plainText: "use ws:// for it, or the port that has TLS",
} as const;

/** What is wrong with the collector's certificate, in words; undefined for every other error. */
export function describeTlsError(
  { code }: NodeJS.ErrnoException,
  collector: string,
  caFile: string | undefined,
): TlsFault | undefined {
  return describeTlsFault(code, new URL(collector), caFile, ADVICE);
}

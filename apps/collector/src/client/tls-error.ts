import { describeTlsFault, type TlsFault } from "@sluice/service";

const ADVICE = {
  unnamed: "copy the collector's ca.pem here by a way that you trust, and name it with --ca",
  stranger:
    "nothing was sent to it: somebody may stand between. If the collector was set up anew, copy its ca.pem again",
  plainText: "ask it by http://, or name the port that has TLS",
} as const;

/** What is wrong with a collector's certificate, in words; undefined for every other error. */
export function describeTlsError(
  code: string | undefined,
  url: URL,
  caFile: string | undefined,
): TlsFault | undefined {
  return describeTlsFault(code, url, caFile, ADVICE);
}

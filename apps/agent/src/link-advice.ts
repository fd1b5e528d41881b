/** Codes of OpenSSL and of Node for a certificate that cannot be traced to whom we trust. */
const STRANGER =
  /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|CERT_SIGNATURE_FAILURE|CERT_UNTRUSTED|INVALID_CA)$/;

/** What is wrong with a certificate, in words; undefined for every other error. */
export function describeTlsError(
  { code = "" }: NodeJS.ErrnoException,
  collector: string,
  caFile: string | undefined,
): { readonly reason: string; readonly advice: string } | undefined {
  const { host, hostname } = new URL(collector);
  if (STRANGER.test(code)) {
    return {
      reason: `${host} shows a certificate that ${caFile === undefined ? "no authority of this system has" : `the authority in ${caFile} has not`} signed`,
      advice:
        caFile === undefined
          ? "if the collector has an authority of its own, name it in tls.ca_file; otherwise somebody stands between"
          : "nothing was sent to it. Somebody may stand between; if the collector was set up anew, enrol this host again: `sluice enroll new`",
    };
  }
  switch (code) {
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return {
        reason: `the certificate of ${host} is not for the name ${hostname}`,
        advice: `use a name that it is for, or add this one on the collector: sluice init --name ${hostname}`,
      };
    case "CERT_HAS_EXPIRED":
      return {
        reason: `the certificate of ${host} has expired`,
        advice: "renew it on the collector: sluice init --renew; see also whether the clocks agree",
      };
    case "CERT_NOT_YET_VALID":
      return {
        reason: `the certificate of ${host} is not valid yet`,
        advice: "set this host's clock: timedatectl set-ntp true",
      };
    case "EPROTO":
    case "ERR_SSL_WRONG_VERSION_NUMBER":
      return {
        reason: `${host} does not speak TLS`,
        advice: "use ws:// for it, or the port that has TLS",
      };
    default:
      return undefined;
  }
}

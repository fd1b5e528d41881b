/** Codes of OpenSSL and of Node for a certificate that cannot be traced to whom we trust. */
const STRANGER =
  /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|CERT_SIGNATURE_FAILURE|CERT_UNTRUSTED|INVALID_CA)$/;

/** What is wrong with a collector's certificate, in words; undefined for every other error. */
export function describeTlsError(
  code: string | undefined,
  { host, hostname }: URL,
  caFile: string | undefined,
): { readonly message: string; readonly advice: string } | undefined {
  if (code !== undefined && STRANGER.test(code)) {
    return caFile === undefined
      ? {
          message: `${host} shows a certificate that no authority of this system has signed`,
          advice: "copy the collector's ca.pem here by a way that you trust, and name it with --ca",
        }
      : {
          message: `${host} shows a certificate that the authority in ${caFile} has not signed`,
          advice:
            "nothing was sent to it: somebody may stand between. If the collector was set up anew, copy its ca.pem again",
        };
  }
  switch (code) {
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return {
        message: `the certificate of ${host} is not for the name ${hostname}`,
        advice: `use a name that it is for, or add this one on the collector: sluice init --name ${hostname}`,
      };
    case "CERT_HAS_EXPIRED":
      return {
        message: `the certificate of ${host} has expired`,
        advice: "renew it on the collector: sluice init --renew",
      };
    case "CERT_NOT_YET_VALID":
      return {
        message: `the certificate of ${host} is not valid yet`,
        advice: "set this machine's clock: timedatectl set-ntp true",
      };
    case "EPROTO":
    case "ERR_SSL_WRONG_VERSION_NUMBER":
      return {
        message: `${host} does not speak TLS`,
        advice: "ask it by http://, or name the port that has TLS",
      };
    default:
      return undefined;
  }
}

/** Codes of OpenSSL and of Node for a certificate that cannot be traced to whom we trust. */
const STRANGER =
  /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|CERT_SIGNATURE_FAILURE|CERT_UNTRUSTED|INVALID_CA)$/;

/** What to do where that differs from program to program. */
export interface TlsAdvice {
  /** No authority was named, and none of the system's has signed the certificate. */
  readonly unnamed: string;
  /** The named authority has not. */
  readonly stranger: string;
  readonly plainText: string;
}

export interface TlsFault {
  readonly message: string;
  readonly advice: string;
}

/**
 * What is wrong with a collector's certificate, in words; undefined for every other error.
 *
 * @param code of Node's error
 * @param caFile the authority that was named to be trusted
 */
export function describeTlsFault(
  code: string | undefined,
  { host, hostname }: URL,
  caFile: string | undefined,
  advice: TlsAdvice,
): TlsFault | undefined {
  if (code !== undefined && STRANGER.test(code)) {
    const [signer, next] =
      caFile === undefined
        ? ["no authority of this system has", advice.unnamed]
        : [`the authority in ${caFile} has not`, advice.stranger];
    return { message: `${host} shows a certificate that ${signer} signed`, advice: next };
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
        advice: "renew it on the collector: sluice init --renew; see also whether the clocks agree",
      };
    case "CERT_NOT_YET_VALID":
      return {
        message: `the certificate of ${host} is not valid yet`,
        advice: "set this machine's clock: timedatectl set-ntp true",
      };
    case "EPROTO":
    case "ERR_SSL_WRONG_VERSION_NUMBER":
      return { message: `${host} does not speak TLS`, advice: advice.plainText };
    default:
      return undefined;
  }
}

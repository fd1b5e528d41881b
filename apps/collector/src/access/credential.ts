import { createHash, randomBytes } from "node:crypto";

/**
 * What a secret is for shows in its first letters: people who find one know what to revoke, and
 * scanners of repositories can be told about it.
 */
const PREFIXES = { enrolment: "sle_", key: "slk_", token: "slt_" } as const;

/** Guessing is hopeless at 256 bits, so a plain hash is enough at rest: there is nothing to stretch. */
const SECRET_BYTES = 32;

/** 16^8 names for what one collector has a few hundred of; minting looks whether one is taken. */
const ID_BYTES = 4;

export function mintSecret(kind: keyof typeof PREFIXES): string {
  return PREFIXES[kind] + randomBytes(SECRET_BYTES).toString("base64url");
}

/** The name of a secret in lists and commands: eight hexadecimal digits that say nothing about it. */
export function mintId(isTaken: (id: string) => boolean): string {
  for (;;) {
    const id = randomBytes(ID_BYTES).toString("hex");
    if (!isTaken(id)) {
      return id;
    }
  }
}

/** SHA-256 in hexadecimal: all that is kept of a secret. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** The secret of an `Authorization: Bearer` header (RFC 6750); undefined where there is none. */
export function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer (\S+)$/i.exec(authorization ?? "")?.[1];
}

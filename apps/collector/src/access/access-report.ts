import * as z from "zod";

import { SCOPE } from "./key-file.ts";

/** RFC 3339, in UTC. */
const time = z.string();

/** `sluice tokens --json`: nothing of the secrets. */
export const TOKEN_LIST = z.array(
  z.object({
    id: z.string(),
    kind: z.enum(["token", "file", "enrolment"]),
    name: z.string(),
    scope: z.enum([...SCOPE.options, "enrol"]),
    created: time.nullable(),
    expires: time.nullable(),
    revoked: time.nullable(),
    /** Of an enrolment: how often it may be used, and was. */
    uses: z.int().nullable(),
    used: z.int().nullable(),
    /** Of an enrolment: which hosts it is for. */
    hosts: z.string().nullable(),
  }),
);
export type TokenEntry = z.infer<typeof TOKEN_LIST>[number];

/** A secret is in the answer that mints it, and nowhere else. */
export const MINTED_TOKEN = z.object({
  id: z.string(),
  name: z.string(),
  scope: SCOPE,
  expires: time.nullable(),
  token: z.string(),
});
export type MintedToken = z.infer<typeof MINTED_TOKEN>;

export const MINTED_ENROLMENT = z.object({
  id: z.string(),
  expires: time,
  uses: z.int(),
  hosts: z.string(),
  labels: z.record(z.string(), z.string()),
  token: z.string(),
  /** Where agents reach the collector, over HTTP. */
  url: z.string(),
  /** The authority that agents are to trust, in PEM; null where the system's are enough. */
  ca: z.string().nullable(),
  /** The agent's builds that a host can be given, and the collector's folder of them. */
  builds: z.array(z.string()),
  productsDir: z.string(),
});
export type MintedEnrolment = z.infer<typeof MINTED_ENROLMENT>;

/** What was done to one agent or token. */
export const ACCESS_CHANGE = z.object({
  id: z.string(),
  /** The agent's host, or the token's name. */
  name: z.string(),
  /** Live connections that it ended. */
  closed: z.int().nonnegative(),
});
export type AccessChange = z.infer<typeof ACCESS_CHANGE>;

export const TOKEN_REQUEST = z.strictObject({
  name: z.string().min(1).max(64),
  scope: SCOPE,
  ttlMs: z.int().positive().optional(),
});
export type TokenRequest = z.infer<typeof TOKEN_REQUEST>;

export const ENROLMENT_REQUEST = z.strictObject({
  ttlMs: z
    .int()
    .min(1_000)
    .max(30 * 86_400_000),
  uses: z.int().min(1).max(10_000),
  hosts: z.string().min(1).max(256),
  labels: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/), z.string().max(256)),
  url: z.string().optional(),
});
export type EnrolmentWish = z.infer<typeof ENROLMENT_REQUEST>;

export const ID_REQUEST = z.strictObject({ id: z.string().min(1) });
export const RENAME_REQUEST = z.strictObject({
  id: z.string().min(1),
  host: z
    .string()
    .min(1)
    .max(256)
    .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text)),
});
export const ROTATE_REQUEST = z.strictObject({
  id: z.string().min(1),
  overlapMs: z
    .int()
    .nonnegative()
    .max(30 * 86_400_000),
});

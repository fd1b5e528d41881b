/** A code's meaning, and what the side that receives it does. */
export interface CodeNote {
  readonly meaning: string;
  readonly reaction: string;
}

/** WebSocket close codes of the private range 4000-4099. */
export const CLOSE_CODES = {
  badMessage: 4000,
  helloTimeout: 4001,
  unauthenticated: 4002,
  replaced: 4003,
  cloneRefused: 4004,
  goingAway: 4005,
  creditExceeded: 4006,
  tooManyStreams: 4007,
  protocolVersion: 4008,
  silent: 4009,
  internalError: 4010,
} as const;

export type CloseReason = keyof typeof CLOSE_CODES;
export type CloseCode = (typeof CLOSE_CODES)[CloseReason];

export const CLOSE_NOTES: Readonly<Record<CloseReason, CodeNote>> = Object.freeze({
  badMessage: {
    meaning: "a message was not well formed, damaged on the way, or not allowed in this state",
    reaction: "reconnect with backoff; the stored cursors decide what is sent again",
  },
  helloTimeout: {
    meaning: "no hello arrived in time after the upgrade",
    reaction: "reconnect with backoff",
  },
  unauthenticated: {
    meaning: "the token was revoked while the connection was open",
    reaction: "reconnect at the longest backoff and report that the token must be renewed",
  },
  replaced: {
    meaning: "a newer connection of the same agent id took over because this one was silent",
    reaction: "stop using this connection; reconnect only if this process is still meant to run",
  },
  cloneRefused: {
    meaning: "another live instance holds this agent id: the state directory was cloned",
    reaction: "reconnect at the longest backoff and report it: one of the two needs a new id",
  },
  goingAway: {
    meaning: "the sender is shutting down in good order",
    reaction: "reconnect after the time its goaway named, else with backoff",
  },
  creditExceeded: {
    meaning: "the agent sent more uncompressed bytes than its credit allowed",
    reaction: "reconnect with backoff; report it, since it is a fault of the agent",
  },
  tooManyStreams: {
    meaning: "the connection opened more streams than one agent may have",
    reaction: "reconnect with backoff and open no more than the limit in welcome",
  },
  protocolVersion: {
    meaning: "the peer speaks no version of the protocol that this side knows",
    reaction: "reconnect at the longest backoff and report which side must be upgraded",
  },
  silent: {
    meaning: "nothing, not even a pong, arrived within the limit",
    reaction: "reconnect with backoff",
  },
  internalError: {
    meaning: "the sender failed in a way that is not the peer's fault",
    reaction: "reconnect with backoff",
  },
});

/** HTTP statuses with which the collector answers an upgrade. */
export const HTTP_STATUSES = {
  switchingProtocols: 101,
  badRequest: 400,
  unauthenticated: 401,
  originForbidden: 403,
  notFound: 404,
  upgradeRequired: 426,
  tooManyRequests: 429,
  headersTooLarge: 431,
  unavailable: 503,
} as const;

export type HttpReason = keyof typeof HTTP_STATUSES;

export const HTTP_NOTES: Readonly<Record<HttpReason, CodeNote>> = Object.freeze({
  switchingProtocols: {
    meaning: "the WebSocket is open",
    reaction: "send hello",
  },
  badRequest: {
    meaning: "the request is not a WebSocket upgrade for sluice.v1",
    reaction: "reconnect at the longest backoff and report it: this is no Sluice collector's URL",
  },
  unauthenticated: {
    meaning: "the bearer token is missing or unknown; the socket is destroyed",
    reaction: "reconnect at the longest backoff and report it",
  },
  originForbidden: {
    meaning: "the request carries an Origin header: it comes out of a browser",
    reaction: "none: no agent sends one",
  },
  notFound: {
    meaning: "no upgrade is served at this path",
    reaction: "reconnect at the longest backoff and report it",
  },
  upgradeRequired: {
    meaning: "the subprotocol offered is not one the collector speaks",
    reaction: "reconnect at the longest backoff and report which side must be upgraded",
  },
  tooManyRequests: {
    meaning: "too many failed authentications or connections from this address",
    reaction: "reconnect at the longest backoff",
  },
  headersTooLarge: {
    meaning: "the headers exceed their limit in bytes or number",
    reaction: "reconnect at the longest backoff and report it: a proxy adds too many",
  },
  unavailable: {
    meaning: "the collector is full or shutting down",
    reaction: "reconnect with backoff",
  },
});

/** Why a batch can never be accepted: `reject.code`, and the code of a `CodecError`. */
export type RejectCode =
  | "unsupported_codec"
  | "bad_compression"
  | "bad_columns"
  | "header_mismatch"
  | "limit_exceeded";

export const REJECT_NOTES: Readonly<Record<RejectCode, CodeNote>> = Object.freeze({
  unsupported_codec: {
    meaning: "the payload's codec byte is none that this version knows",
    reaction: "dead-letter the batch, then a gap; upgrade the collector",
  },
  bad_compression: {
    meaning: "the payload does not decompress to exactly the size its header states",
    reaction: "dead-letter the batch, then a gap",
  },
  bad_columns: {
    meaning: "the decompressed payload is not a well-formed set of columns",
    reaction: "dead-letter the batch, then a gap",
  },
  header_mismatch: {
    meaning: "the header's times are not those of its records",
    reaction: "dead-letter the batch, then a gap",
  },
  limit_exceeded: {
    meaning: "the batch or one of its records is larger than the limits allow",
    reaction: "dead-letter the batch, then a gap",
  },
});

/** Why the collector moves a stream to a new epoch: `reset.reason`. */
export type ResetReason = "out_of_sequence" | "corrupt" | "overloaded" | "storage";

export const RESET_NOTES: Readonly<Record<ResetReason, CodeNote>> = Object.freeze({
  out_of_sequence: {
    meaning: "a frame's ordinal or first sequence number is not the stored one",
    reaction: "rewind to the cursor given and send on in the new epoch",
  },
  corrupt: {
    meaning: "a frame's checksum does not match: it was damaged on the way",
    reaction: "rewind to the cursor given and send on in the new epoch",
  },
  overloaded: {
    meaning:
      "frames were dropped because the collector's total credit was used up, or taken away while they were on their way",
    reaction: "rewind to the cursor given and send on within the credit",
  },
  storage: {
    meaning: "the commit failed; nothing of it was stored",
    reaction: "rewind to the cursor given and send on in the new epoch",
  },
});

/** Why one stream cannot be opened or served: `failed.code`. The others are not affected. */
export type FailedCode =
  | "too_many_streams"
  | "stream_in_use"
  | "stream_finished"
  | "too_many_rejects"
  | "unavailable";

export const FAILED_NOTES: Readonly<Record<FailedCode, CodeNote>> = Object.freeze({
  too_many_streams: {
    meaning: "this agent already has as many streams open as it may",
    reaction: "hold the stream's position and report it; open it when another one is finished",
  },
  stream_in_use: {
    meaning: "this stream, or this stream number, is already open on this connection",
    reaction: "report it: it is a fault of the agent",
  },
  stream_finished: {
    meaning: "the stream's generation was finished by an earlier final frame",
    reaction: "begin a new generation if the source has more to say",
  },
  too_many_rejects: {
    meaning: "too many batches of this stream in a row were rejected",
    reaction: "hold the stream's position and report it",
  },
  unavailable: {
    meaning: "the collector cannot store for this stream at the moment",
    reaction: "hold the stream's position and open it again with backoff",
  },
});

/** Why the collector asks an agent to leave: `goaway.reason`. */
export type GoawayReason = "shutdown" | "overloaded" | "revoked";

export const GOAWAY_NOTES: Readonly<Record<GoawayReason, CodeNote>> = Object.freeze({
  shutdown: {
    meaning: "the collector stops or restarts",
    reaction: "send nothing more, take the last acks, close, reconnect after retryAfterMs",
  },
  overloaded: {
    meaning: "the collector sheds connections",
    reaction: "send nothing more, take the last acks, close, reconnect after retryAfterMs",
  },
  revoked: {
    meaning: "the agent's token is about to be refused",
    reaction: "close, and report that the token must be renewed",
  },
});

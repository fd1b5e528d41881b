export { decodeAgentMessage, decodeCollectorMessage, encodeControl } from "./control-codec.ts";
export type { ControlError } from "./control-codec.ts";
export { PROTOCOL_VERSION, SUBPROTOCOL } from "./control.ts";
export type {
  AckMessage,
  AgentMessage,
  CollectorMessage,
  ControlMessage,
  CreditMessage,
  FailedMessage,
  GoawayMessage,
  GrantedLimits,
  HelloMessage,
  Labels,
  OpenedMessage,
  OpenedStream,
  OpenMessage,
  OpenStream,
  RejectMessage,
  ReportMessage,
  ResetMessage,
  ResetStream,
  RotateMessage,
  StreamBacklog,
  StreamPosition,
  UnfinishedMessage,
  UnfinishedStream,
  WelcomeMessage,
} from "./control.ts";
export type { AgentEffect, FrameDraft, RejectedFrame, StreamOffer } from "./agent-effect.ts";
export { AgentSession } from "./agent-session.ts";
export type { AgentIdentity } from "./agent-session.ts";
export { CollectorSession } from "./collector-session.ts";
export type { CollectorEffect, StreamOutcome, WelcomeTerms } from "./collector-session.ts";
export * from "./wire.ts";

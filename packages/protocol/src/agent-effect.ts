import type { AgentMessage, UnfinishedStream } from "./control.ts";

/** A stream as its source announces it; `key` is the agent's own name for it. */
export interface StreamOffer {
  readonly key: number;
  readonly source: string;
  readonly generation: number;
  /** Where a store that does not know the stream begins it; fsynced by the agent before. */
  readonly initialCursor: (storeId: string) => Uint8Array;
  readonly labels: Readonly<Record<string, string>>;
}

/** What a frame adds to its stream, before the session gives it its place. */
export interface FrameDraft {
  readonly count: number;
  /** What the frame takes of the credit: uncompressed payload bytes. */
  readonly creditBytes: number;
  /** Bytes of its bodies: what the frame takes off the backlog. */
  readonly bodyBytes: number;
  readonly cursor: Uint8Array;
  /** The stream ends with this frame. */
  readonly isFinal: boolean;
}

export type AgentEffect =
  | { readonly kind: "send"; readonly message: AgentMessage }
  /** What this store knows of the agent, before any stream is opened: for an agent that lost its state. */
  | {
      readonly kind: "unfinished";
      readonly storeId: string;
      readonly streams: readonly UnfinishedStream[];
    }
  /** Whatever was read of the stream and not sent is void; read on from this cursor. */
  | {
      readonly kind: "rewind";
      readonly key: number;
      /**
       * Names what is read from here on to `place`. Counted by the session: the collector's epoch
       * comes again where a store was restored or replaced.
       */
      readonly epoch: number;
      readonly nextSeq: number;
      readonly cursor: Uint8Array;
      /** The stream is new to this store: the agent decides between its checkpoint and the initial cursor. */
      readonly created: boolean;
      readonly rejected: RejectedFrame | undefined;
    }
  /** Everything up to the cursor is durable; `finished` when that includes the stream's end. */
  | {
      readonly kind: "acked";
      readonly key: number;
      readonly nextSeq: number;
      readonly cursor: Uint8Array;
      readonly finished: boolean;
    }
  /** Three rejects and no batch accepted in between: the stream holds its position until the agent restarts. */
  | {
      readonly kind: "stopped";
      readonly key: number;
      readonly code: string;
      readonly detail: string;
    }
  /** The credit has changed: what waited for it may leave now. */
  | { readonly kind: "credit" }
  /** The collector leaves in good order and asks to be left alone for this long. */
  | { readonly kind: "goaway"; readonly retryAfterMs: number }
  /** The key is to be replaced; the connection goes on. */
  | { readonly kind: "rotate" }
  /** The collector cannot serve the stream (or, without a key, the last request). */
  | {
      readonly kind: "failed";
      readonly key: number | undefined;
      readonly code: string;
      readonly detail: string;
    };

/** The frame that the collector will never accept: the agent sets it aside and sends a gap in its place. */
export interface RejectedFrame {
  readonly ordinal: number;
  readonly firstSeq: number;
  readonly count: number;
  readonly cursorAfter: Uint8Array;
  readonly code: string;
  readonly detail: string;
}

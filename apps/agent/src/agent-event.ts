import type { TailEvent } from "@sluice/tail";

/** What the agent tells of itself; the app turns it into its log. */
export type AgentEvent =
  | { readonly kind: "tail"; readonly event: TailEvent }
  | { readonly kind: "connected"; readonly url: string }
  | {
      readonly kind: "disconnected";
      readonly collector: string;
      readonly reason: string;
      readonly advice: string | undefined;
      readonly retryInMs: number;
    }
  | {
      readonly kind: "rolled-back";
      readonly source: string;
      readonly generation: number;
      readonly records: number;
    }
  | {
      readonly kind: "rejected";
      readonly source: string;
      readonly generation: number;
      readonly code: string;
      readonly detail: string;
    }
  | {
      readonly kind: "stopped-stream";
      readonly source: string;
      readonly generation: number;
      readonly code: string;
      readonly detail: string;
    }
  /** Another configuration is in force, from the next connection on. */
  | { readonly kind: "reconfigured"; readonly sources: number }
  /** The collector asked for another key, and it is in use from the next connection on. */
  | { readonly kind: "key-replaced" }
  | { readonly kind: "key-kept"; readonly reason: string; readonly advice: string }
  | { readonly kind: "state-lost"; readonly path: string }
  | { readonly kind: "failed"; readonly error: unknown };

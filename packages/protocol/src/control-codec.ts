import { Buffer } from "node:buffer";
import { err, ok, type Result } from "@sluice/quantity";
import type { ZodMiniType } from "zod/mini";
import type { AgentMessage, CollectorMessage, ControlMessage } from "./control.ts";
import { AGENT_SCHEMAS, COLLECTOR_SCHEMAS } from "./control-schema.ts";
import { isShallow } from "./control-shape.ts";
import { LIMITS } from "./limits.ts";

/**
 * Why a control message is refused.
 *
 * - `too_large`: longer than `LIMITS.controlBytes`, or of more values or deeper than any message is
 * - `not_json`: not one JSON object with a `type`
 * - `unknown_type`: a type that this direction does not have; a later version may add some
 * - `malformed`: its fields are not those of its type; `detail` names the first that is not
 */
export interface ControlError {
  readonly kind: "too_large" | "not_json" | "unknown_type" | "malformed";
  readonly detail: string;
}

/** Encodes a message as JSON. Throws RangeError on more than `LIMITS.controlBytes`. */
export function encodeControl(message: ControlMessage): string {
  const text = JSON.stringify(message, bytesAsBase64);
  if (Buffer.byteLength(text) > LIMITS.controlBytes)
    throw new RangeError(`a ${message.type} of ${Buffer.byteLength(text)} bytes`);
  return text;
}

/** Decodes what an agent sent. */
export function decodeAgentMessage(text: string): Result<AgentMessage, ControlError> {
  return decode<AgentMessage>(text, AGENT_SCHEMAS);
}

/** Decodes what a collector sent. */
export function decodeCollectorMessage(text: string): Result<CollectorMessage, ControlError> {
  return decode<CollectorMessage>(text, COLLECTOR_SCHEMAS);
}

function decode<Message>(
  text: string,
  schemas: Readonly<Record<string, ZodMiniType<Message>>>,
): Result<Message, ControlError> {
  if (Buffer.byteLength(text) > LIMITS.controlBytes)
    return err({ kind: "too_large", detail: "the message is too large" });
  if (!isShallow(text)) return err({ kind: "too_large", detail: "the message holds too much" });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return err({ kind: "not_json", detail: "the message is not JSON" });
  }
  if (typeof json !== "object" || json === null || !("type" in json))
    return err({ kind: "not_json", detail: "the message is not an object with a type" });
  const { type } = json;
  const schema =
    typeof type === "string" && Object.hasOwn(schemas, type) ? schemas[type] : undefined;
  if (schema === undefined)
    return err({
      kind: "unknown_type",
      detail: `unknown type ${JSON.stringify(type).slice(0, 40)}`,
    });
  const parsed = schema.safeParse(json);
  if (parsed.success) return ok(parsed.data);
  const path = parsed.error.issues[0]?.path.join(".") ?? "";
  return err({ kind: "malformed", detail: `${String(type)}: invalid ${path}`.slice(0, 200) });
}

/** JSON.stringify's replacer; `this` still has the bytes that Buffer's own toJSON has spelt out. */
function bytesAsBase64(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const original = this[key];
  if (!(original instanceof Uint8Array)) return value;
  return Buffer.from(original.buffer, original.byteOffset, original.length).toString("base64");
}

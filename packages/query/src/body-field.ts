import { findJsonField } from "./json-field.ts";
import { findLogfmtField } from "./logfmt-field.ts";
import { indexOfBytes } from "./text-match.ts";

const OPEN_BRACE = 0x7b;
const OBJECT_START = new TextEncoder().encode('{"');

/** The field's value in the body from `start` to before `end`, or undefined. */
export type BodyField = (bytes: Uint8Array, start: number, end: number) => string | undefined;

/**
 * Makes the lookup of one field. A body is a JSON object, alone or behind a prefix as syslog writes one (from the first
 * `{"`); a body that does not begin with an object is also searched for `name=value`.
 */
export function compileBodyField(name: string): BodyField {
  const wanted = new TextEncoder().encode(name);
  const hint = new TextEncoder().encode(bodyFieldHint(name));
  return (bytes, start, end) => {
    if (indexOfBytes(bytes, hint, start, end) === -1) {
      return undefined;
    }
    if (bytes[start] === OPEN_BRACE && start < end) {
      return findJsonField(bytes, start, end, wanted);
    }
    const objectAt = indexOfBytes(bytes, OBJECT_START, start, end);
    return (
      (objectAt === -1 ? undefined : findJsonField(bytes, objectAt, end, wanted)) ??
      findLogfmtField(bytes, start, end, wanted)
    );
  };
}

/** Text that stands, in this case, in every body that has the field: the last step of a dotted name. */
export function bodyFieldHint(name: string): string {
  const last = name.slice(name.lastIndexOf(".") + 1);
  return last === "" ? name : last;
}

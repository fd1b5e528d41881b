import type { RecordFields } from "./record-fields.ts";

/**
 * RFC 5424: priority, version, time, host, program, process, message's kind, structured data. RFC
 * 3164 and what rsyslog writes to files: time of either form, host, `program[pid]:`.
 */
const RFC5424 = /^<(\d{1,3})>1 (\S{1,64}) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32}) (-|\[)/;
const RFC3164 =
  /^(?:<(\d{1,3})>)?([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S{8,24}) (\S{1,255}) ([^\s[\]:]{1,128})(?:\[(\d{1,10})\])?:(?: |$)/;
const PARAM = / ([^\s=\]"]{1,32})="((?:[^"\\]|\\.)*)"/sy;
const ELEMENT = /\[([^\s=\]"]{1,32})/y;

/** Fields bear the names that journald gives to the same things. */
export function parseSyslog(text: string, fields: RecordFields): boolean {
  const structured = RFC5424.exec(text);
  if (structured !== null) {
    const [head, priority = "", time = "", host, program, pid, kind] = structured;
    addPriority(priority, fields);
    fields.add("time", time);
    addKnown("SYSLOG_HOSTNAME", host, fields);
    addKnown("SYSLOG_IDENTIFIER", program, fields);
    addKnown("SYSLOG_PID", pid, fields);
    addKnown("SYSLOG_MSGID", kind, fields);
    addElements(text, head.length - 1, fields);
    return true;
  }
  const plain = RFC3164.exec(text);
  if (plain === null) {
    return false;
  }
  const [, priority, time = "", host, program, pid] = plain;
  if (priority !== undefined) {
    addPriority(priority, fields);
  }
  fields.add("time", time);
  addKnown("SYSLOG_HOSTNAME", host, fields);
  addKnown("SYSLOG_IDENTIFIER", program, fields);
  addKnown("SYSLOG_PID", pid, fields);
  return true;
}

/** RFC 5424, 6.2.1: eight times the facility, and the severity, which a level field takes as its number. */
function addPriority(priority: string, fields: RecordFields): void {
  const value = Number(priority);
  if (value <= 191) {
    fields.add("level", String(value & 7));
    fields.add("SYSLOG_FACILITY", String(value >> 3));
  }
}

function addKnown(name: string, value: string | undefined, fields: RecordFields): void {
  if (value !== undefined && value !== "-") {
    fields.add(name, value);
  }
}

/** `[id name="value" ...][id ...]`: each value is a field `id.name`. */
function addElements(text: string, at: number, fields: RecordFields): void {
  let next = at;
  for (;;) {
    ELEMENT.lastIndex = next;
    const id = ELEMENT.exec(text)?.[1];
    if (id === undefined) {
      return;
    }
    next = ELEMENT.lastIndex;
    for (;;) {
      PARAM.lastIndex = next;
      const [, name = "", value = ""] = PARAM.exec(text) ?? [];
      if (name === "") {
        break;
      }
      fields.add(`${id}.${name}`, value.replaceAll(/\\(["\\\]])/g, "$1"));
      next = PARAM.lastIndex;
    }
    if (text[next] !== "]") {
      return;
    }
    next += 1;
  }
}

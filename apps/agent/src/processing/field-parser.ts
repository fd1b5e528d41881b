import { parseAccessLog } from "./access-log-parser.ts";
import { parseJson } from "./json-parser.ts";
import { parseLogfmt } from "./logfmt-parser.ts";
import type { ParseSettings } from "./processing-settings.ts";
import { type FieldRoles, RecordFields } from "./record-fields.ts";
import { parseSyslog } from "./syslog-parser.ts";
import { UserPattern } from "./user-pattern.ts";

/** Puts what a record says into fields; false where it is not of the format. */
export type FieldParser = (text: string, fields: RecordFields) => boolean;

export function createParser(format: ParseSettings["format"]): FieldParser {
  switch (format) {
    case "json":
      return parseJson;
    case "logfmt":
      return parseLogfmt;
    case "syslog":
      return parseSyslog;
    case "nginx":
    case "apache":
      return parseAccessLog;
    default:
      return regexParser(UserPattern.compile(format.regex));
  }
}

/** `levelField`: where the severity rule looks. */
export function createFields(
  settings: ParseSettings,
  levelField: string | undefined,
): RecordFields {
  const { format, fields: chosen, time } = settings;
  const repeatsBody = format === "json" || format === "logfmt";
  const roles: FieldRoles = {
    time,
    level: levelField,
    chosen,
    body: repeatsBody ? ["msg", "message"] : [],
  };
  return new RecordFields(roles);
}

function regexParser(pattern: UserPattern): FieldParser {
  return (text, fields) => {
    const groups = pattern.groups(text);
    groups?.forEach((value, name) => fields.add(name, value));
    return groups !== undefined;
  };
}

import type { RecordColumns } from "@sluice/protocol";
import { compileNameGlob } from "@sluice/quantity";
import type { FieldTerm, FieldTest, Filter } from "./ast.ts";
import { compileComparison } from "./number-literal.ts";
import { makeProposals } from "./proposal.ts";
import type { Proposals } from "./proposal.ts";
import { bodyEnd, bodyStart, compileRecordField } from "./record-field.ts";
import type { StreamIdentity } from "./record-field.ts";
import {
  ALL_SEVERITIES,
  allMasks,
  ANY_RECORD,
  anyMasks,
  EVERY_RECORD,
  masksOfLevel,
  NO_RECORD,
  notMasks,
} from "./severity-mask.ts";
import type { SeverityMasks } from "./severity-mask.ts";
import { compileTextOnBytes, compileTextOnString } from "./text-match.ts";
import { decodeUtf8 } from "./utf8.ts";

/** Whether every, no, or possibly some record of a stream matches. */
export type Verdict = "yes" | "no" | "maybe";

/** A filter that is ready to run. `matches` is its meaning; every faster way must agree with it. */
export interface RecordFilter extends Proposals {
  readonly filter: Filter;
  /** What can be said before a record of the stream is read. */
  readonly streamMayMatch: (stream: StreamIdentity) => Verdict;
  /** The same by severity; without a stream, what holds for every one. */
  readonly severitiesOf: (stream?: StreamIdentity) => SeverityMasks;
  /** `index` is from 0 to below `columns.count`. */
  readonly matches: (stream: StreamIdentity, columns: RecordColumns, index: number) => boolean;
}

/**
 * Makes a filter ready to run. Text and phrases are matched on the body's bytes. Regular expressions run on the body
 * decoded as UTF-8, and may take as long as their author has them take: run those of strangers under a deadline.
 */
export function compileFilter(filter: Filter): RecordFilter {
  const { onStream, onRecord } = compile(filter);
  return {
    filter,
    ...makeProposals(filter),
    streamMayMatch: (stream) => verdictOf(onStream(stream)),
    severitiesOf: onStream,
    matches: onRecord,
  };
}

interface Compiled {
  readonly onStream: (stream: StreamIdentity | undefined) => SeverityMasks;
  readonly onRecord: RecordFilter["matches"];
}

const MAYBE = (): SeverityMasks => ANY_RECORD;

function verdictOf({ may, must }: SeverityMasks): Verdict {
  return may === 0 ? "no" : must === ALL_SEVERITIES ? "yes" : "maybe";
}

function compile(filter: Filter): Compiled {
  switch (filter.kind) {
    case "all":
      return { onStream: () => EVERY_RECORD, onRecord: () => true };
    case "and":
      return compileAnd(filter.parts.map(compile));
    case "or":
      return compileOr(filter.parts.map(compile));
    case "not":
      return compileNot(compile(filter.part));
    case "text": {
      const test = compileTextOnBytes(filter.pattern);
      return {
        onStream: MAYBE,
        onRecord: (_, columns, index) =>
          test(columns.bodies, bodyStart(columns, index), bodyEnd(columns, index)),
      };
    }
    case "regex": {
      const regex = new RegExp(filter.source, filter.ignoreCase ? "i" : "");
      return {
        onStream: MAYBE,
        onRecord: (_, columns, index) =>
          regex.test(
            decodeUtf8(columns.bodies, bodyStart(columns, index), bodyEnd(columns, index)),
          ),
      };
    }
    case "level": {
      const { min, max } = filter;
      const masks = masksOfLevel(filter);
      return {
        onStream: () => masks,
        onRecord: (_, columns, index) => {
          const severity = columns.severities[index] ?? 0;
          return severity >= min && severity <= max;
        },
      };
    }
    case "field":
      return compileField(filter);
    default:
      return filter satisfies never;
  }
}

function compileAnd(parts: readonly Compiled[]): Compiled {
  return {
    onStream: (stream) => allMasks(parts.map((part) => part.onStream(stream))),
    onRecord: (stream, columns, index) => {
      for (const part of parts) {
        if (!part.onRecord(stream, columns, index)) {
          return false;
        }
      }
      return true;
    },
  };
}

function compileOr(parts: readonly Compiled[]): Compiled {
  return {
    onStream: (stream) => anyMasks(parts.map((part) => part.onStream(stream))),
    onRecord: (stream, columns, index) => {
      for (const part of parts) {
        if (part.onRecord(stream, columns, index)) {
          return true;
        }
      }
      return false;
    },
  };
}

function compileNot(part: Compiled): Compiled {
  return {
    onStream: (stream) => notMasks(part.onStream(stream)),
    onRecord: (stream, columns, index) => !part.onRecord(stream, columns, index),
  };
}

function compileField({ name, test }: FieldTerm): Compiled {
  const holds = compileTest(test);
  if (name === "host" || name === "source") {
    const ofStream = rememberLast((stream: StreamIdentity) => holds(stream[name]));
    return {
      onStream: (stream) =>
        stream === undefined ? ANY_RECORD : ofStream(stream) ? EVERY_RECORD : NO_RECORD,
      onRecord: (stream) => ofStream(stream),
    };
  }
  const field = compileRecordField(name);
  return {
    // A record's own attribute comes before the label, so a label alone decides nothing.
    onStream: MAYBE,
    onRecord: (stream, columns, index) => {
      const value = field(stream, columns, index);
      return value !== undefined && holds(value);
    },
  };
}

function compileTest(test: FieldTest): (value: string) => boolean {
  switch (test.kind) {
    case "glob":
      return compileNameGlob(test.pattern);
    case "text":
      return compileTextOnString(test.pattern);
    case "compare":
      return compileComparison(test.operator, test.number);
    default:
      return test satisfies never;
  }
}

/** Records come a stream at a time: a test of the stream runs once for all of them. */
function rememberLast(test: (stream: StreamIdentity) => boolean): typeof test {
  let last: StreamIdentity | undefined;
  let result = false;
  return (stream) => {
    if (stream !== last) {
      result = test(stream);
      last = stream;
    }
    return result;
  };
}

/** What is wrong with a query's text, and where. */
export interface QueryError {
  /** A clause without a full stop. */
  readonly message: string;
  /** Where it begins, in UTF-16 units from 1; one past the end where something is missing there. */
  readonly column: number;
  /** How much of the text is meant, in UTF-16 units, at least 1. */
  readonly length: number;
  /** What to write instead. */
  readonly hint?: string;
}

/** How the reader's functions leave in the middle of a text; `parseQuery` turns it into a Result. */
export class QueryFault extends Error {
  readonly error: QueryError;

  /** `at` counts from 0. */
  constructor(message: string, at: number, length: number, hint?: string) {
    super(message);
    this.name = "QueryFault";
    this.error = {
      message,
      column: at + 1,
      length: Math.max(1, length),
      ...(hint === undefined ? {} : { hint }),
    };
  }
}

/**
 * Prints the line of the query that is meant, carets under the place, then what is wrong and what to do. Control
 * characters are replaced, so that the text can go to a terminal. Lines are joined by LF, with none at the end.
 */
export function renderQueryError(text: string, error: QueryError): string {
  const at = Math.min(error.column - 1, text.length);
  const lineStart = text.lastIndexOf("\n", at - 1) + 1;
  const nextLine = text.indexOf("\n", at);
  const lineEnd = nextLine === -1 ? text.length : nextLine;
  const before = printable(text.slice(lineStart, at));
  const marked = printable(text.slice(at, Math.min(at + error.length, lineEnd)));
  const lines = [
    printable(text.slice(lineStart, lineEnd)),
    // A tab stays one, so that the carets stand under their place whatever its width.
    before.replaceAll(/[^\t]/gu, " ") + "^".repeat(Math.max(1, Array.from(marked).length)),
    error.message,
  ];
  return [...lines, ...(error.hint === undefined ? [] : [error.hint])].join("\n");
}

function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what it is for
  return text.replaceAll(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g, "\ufffd");
}

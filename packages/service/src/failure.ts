import { escapeLines } from "./terminal-text.ts";

/** Exit codes of both command lines: 2 is a wrong call, 78 (EX_CONFIG of sysexits.h) a wrong configuration. */
export const EXIT: { ok: 0; failed: 1; usage: 2; config: 78 } = {
  ok: 0,
  failed: 1,
  usage: 2,
  config: 78,
};

/** A failure that a person can do something about: printed as two lines, without a stack. */
export class Failure extends Error {
  readonly exitCode: number;
  readonly advice: string;

  constructor(
    message: string,
    advice: string,
    exitCode: number = EXIT.failed,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "Failure";
    this.advice = advice;
    this.exitCode = exitCode;
  }
}

/** What a command says of a failure on stderr: a terminal gets no control characters of a path or of a peer's words. */
export function sayFailure(command: string, text: string): void {
  const shown = process.stderr.isTTY ? escapeLines(text) : text;
  process.stderr.write(`${command}: ${shown}\n`);
}

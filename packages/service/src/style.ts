import { styleText } from "node:util";

type StyleFormat = Parameters<typeof styleText>[0];

/** Colours a text, or leaves it as it is. */
export type Paint = (format: StyleFormat, text: string) => string;

export function createPaint(hasColor: boolean): Paint {
  return hasColor
    ? (format, text) => (text === "" ? "" : styleText(format, text, { validateStream: false }))
    : (_format, text) => text;
}

export interface ColorRequest {
  /** `--color` or `--no-color`. */
  readonly flag: boolean | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isTerminal: boolean;
}

/** A flag decides, then NO_COLOR (https://no-color.org) and FORCE_COLOR, then whether it is a terminal that can. */
export function wantsColor({ flag, env, isTerminal }: ColorRequest): boolean {
  if (flag !== undefined) {
    return flag;
  }
  if (env["NO_COLOR"] !== undefined && env["NO_COLOR"] !== "") {
    return false;
  }
  const forced = env["FORCE_COLOR"];
  if (forced !== undefined && forced !== "") {
    return forced !== "0";
  }
  return isTerminal && env["TERM"] !== "dumb";
}

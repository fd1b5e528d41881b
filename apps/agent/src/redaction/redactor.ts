import type { LineText } from "../processing/line-text.ts";
import type { RedactPreset, RedactRule } from "../processing/processing-settings.ts";
import { UserPattern } from "../processing/user-pattern.ts";
import { redactCards } from "./card-number.ts";
import { EMAIL, SECRET, TOKEN, URL_PASSWORD } from "./preset-patterns.ts";

export const MASK = "***";

type Redact = (text: string, encoding: LineText["encoding"]) => string;

/** A name whose value is a secret, whatever the value looks like. */
const SECRET_NAME =
  /(?:pass(?:word|wd|phrase|code)|pwd|secret|(?:api|access|private|secret|signing|encryption|account)[_-]?key|token|credentials?|authorization)$/i;

/** Replaces what must not leave the host. A text without it is given back as it is. */
export class Redactor {
  readonly #rules: readonly Redact[];
  readonly #hidesSecrets: boolean;

  constructor(rules: readonly RedactRule[]) {
    const own = rules.filter((rule) => typeof rule !== "string").map(ownRule);
    const presets = PRESET_ORDER.filter((preset) => rules.includes(preset));
    this.#rules = [...own, ...presets.map((preset) => PRESETS[preset])];
    this.#hidesSecrets = rules.includes("secrets");
  }

  redact(text: string, encoding: LineText["encoding"]): string {
    let result = text;
    for (const rule of this.#rules) {
      result = rule(result, encoding);
    }
    return result;
  }

  /** The value of an attribute: its name may say that it is a secret. */
  redactValue(name: string, value: string): string {
    return this.#hidesSecrets && SECRET_NAME.test(name) ? MASK : this.redact(value, "utf8");
  }
}

/**
 * A user's own patterns see the text as it is. What tells itself by its shape goes before what is
 * told by the name in front of it, which might be taken away together with a part of the other.
 */
const PRESET_ORDER: readonly RedactPreset[] = ["tokens", "cards", "email", "secrets"];

const PRESETS: Readonly<Record<RedactPreset, Redact>> = {
  secrets: (text) =>
    text
      .replace(
        SECRET,
        (
          _match,
          quotedName: string | undefined,
          quotedValue: string | undefined,
          name: string | undefined,
          value: string | undefined,
        ) =>
          quotedName === undefined
            ? `${name ?? ""}${maskLike(value ?? "", "")}`
            : `${quotedName}${maskLike(quotedValue ?? "", quoteOf(quotedName))}`,
      )
      .replace(URL_PASSWORD, `$1${MASK}`),
  cards: (text) => redactCards(text, (start, end) => maskAt(text, start, end)),
  email: (text) => text.replace(EMAIL, MASK),
  tokens: (text) => text.replace(TOKEN, MASK),
};

function ownRule({ pattern, replace }: Exclude<RedactRule, string>): Redact {
  const compiled = UserPattern.compile(pattern);
  // In a text of one character for each byte, the replacement is its bytes too.
  const inLatin1 = Buffer.from(replace).toString("latin1");
  return (text, encoding) =>
    compiled.test(text)
      ? compiled.replaceAll(text, encoding === "latin1" ? inLatin1 : replace)
      : text;
}

/** Keeps the quotes of a value; one without gets those of its name, so that JSON stays JSON. */
function maskLike(value: string, quoteOfName: string): string {
  const [quote = ""] = /^\\?["']/.exec(value) ?? [quoteOfName];
  return `${quote}${MASK}${quote}`;
}

function quoteOf(name: string): string {
  return /\\?["'](?=[^"']*$)/.exec(name)?.[0] ?? "";
}

/** A number that is a value in a JSON text becomes a string there. */
function maskAt(text: string, start: number, end: number): string {
  const isValue =
    text.startsWith("{") &&
    /[:,[]\s{0,4}$/.test(text.slice(Math.max(0, start - 5), start)) &&
    /^\s{0,4}[,}\]]/.test(text.slice(end, end + 5));
  return isValue ? `"${MASK}"` : MASK;
}

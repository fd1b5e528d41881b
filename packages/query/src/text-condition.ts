import { allOf, anyOf, type ConditionTree, TRUE } from "./condition-tree.ts";
import { parseRegex } from "./regex-parser.ts";
import type { RegexNode, RegexRepeat } from "./regex-syntax.ts";
import { lowerAscii } from "./word.ts";

/** Which texts a body must hold, so that it may match at all. */
export type TextCondition = ConditionTree<{ readonly kind: "text" } & RequiredText>;

export interface RequiredText {
  /** Not empty. */
  readonly text: string;
  /** Whether ASCII letters may have either case. */
  readonly anyCase: boolean;
}

/** An alternation of more texts is slower than looking at the records. */
export const MAX_TEXTS = 16;

/** A longer text is required in pieces. */
const MAX_LENGTH = 256;

/** Repetitions that are written out. */
const MAX_REPEATS = 8;

const EMPTY: RequiredText = { text: "", anyCase: false };

/** The texts that every match of a regular expression holds. */
export function regexCondition(source: string, ignoreCase: boolean): TextCondition {
  const node = parseRegex(source, ignoreCase);
  return node === undefined ? TRUE : readNode(node).condition;
}

/** What is known of the texts that a node matches. */
interface Knowledge {
  /** It matches these texts and no others, but for case; there may be the empty one. Undefined where not all are known. */
  readonly texts: readonly RequiredText[] | undefined;
  /** Where it matches, this holds. */
  readonly condition: TextCondition;
}

const UNKNOWN: Knowledge = { texts: undefined, condition: TRUE };
const NOTHING: Knowledge = { texts: [EMPTY], condition: TRUE };

function readNode(node: RegexNode): Knowledge {
  switch (node.kind) {
    case "character":
      return knownTexts([{ text: node.unit, anyCase: node.anyCase }]);
    case "any":
      return UNKNOWN;
    case "nothing":
      return NOTHING;
    case "choice":
      return readChoice(node.parts.map(readNode));
    case "look":
    case "sequence":
    case "repeat": {
      const run = new TextRun();
      addNode(run, node);
      return run.finish();
    }
    default:
      return node satisfies never;
  }
}

function readChoice(parts: readonly Knowledge[]): Knowledge {
  const texts = parts.every((part) => part.texts !== undefined)
    ? distinct(parts.flatMap((part) => part.texts ?? []))
    : [];
  return {
    texts: texts.length > 0 && texts.length <= MAX_TEXTS ? texts : undefined,
    condition: anyOf(parts.map(({ condition }) => condition)),
  };
}

function addNode(run: TextRun, node: RegexNode): void {
  switch (node.kind) {
    case "sequence":
      for (const part of node.parts) {
        addNode(run, part);
      }
      break;
    case "look":
      // It stands somewhere in the body, and lets what is around it stand side by side.
      run.require(readNode(node.part).condition);
      break;
    case "repeat":
      addRepeat(run, node);
      break;
    case "character":
    case "any":
    case "nothing":
    case "choice":
      run.add(readNode(node));
      break;
    default:
      node satisfies never;
  }
}

function addRepeat(run: TextRun, { part, min, max }: RegexRepeat): void {
  const known = readNode(part);
  if (min === 0) {
    run.add(max === 1 ? readChoice([known, NOTHING]) : UNKNOWN);
    return;
  }
  run.add(known);
  for (let i = 1; i < Math.min(min, MAX_REPEATS); i++) {
    run.addTexts(known.texts);
  }
  if (max > Math.min(min, MAX_REPEATS)) {
    // The last one stands in front of what follows, wherever the first ones stood.
    run.cut();
    run.addTexts(known.texts);
  }
}

/** Texts that stand side by side, put together as far as they go. */
class TextRun {
  readonly #conditions: TextCondition[] = [];
  /** All that may stand between the last cut and here. */
  #texts: readonly RequiredText[] = [EMPTY];
  /** The end of it in which there is no choice. */
  #single: RequiredText = EMPTY;
  #isWhole = true;

  add({ texts, condition }: Knowledge): void {
    this.addTexts(texts);
    if (texts?.length !== 1) {
      this.#conditions.push(condition);
    }
  }

  addTexts(added: readonly RequiredText[] | undefined): void {
    if (added === undefined) {
      this.cut();
      return;
    }
    const [only] = added;
    const isOne = only !== undefined && added.length === 1;
    if (!isOne) {
      this.#endSingle();
    }
    const texts = distinct(this.#texts.flatMap((text) => added.map((other) => join(text, other))));
    if (texts.length > MAX_TEXTS || texts.some(({ text }) => text.length > MAX_LENGTH)) {
      this.cut();
      this.#texts = added;
    } else {
      this.#texts = texts;
    }
    if (isOne) {
      this.#single = join(this.#single, only);
    }
  }

  /** Something somewhere in the body. */
  require(condition: TextCondition): void {
    this.#conditions.push(condition);
  }

  /** What follows need not stand beside what was added. */
  cut(): void {
    this.#isWhole = false;
    this.#endSingle();
    this.#conditions.push(anyOf(this.#texts.map(textCondition)));
    this.#texts = [EMPTY];
  }

  finish(): Knowledge {
    this.#endSingle();
    const all = allTexts([...this.#conditions, anyOf(this.#texts.map(textCondition))]);
    return { texts: this.#isWhole ? this.#texts : undefined, condition: all };
  }

  #endSingle(): void {
    this.#conditions.push(textCondition(this.#single));
    this.#single = EMPTY;
  }
}

function join(a: RequiredText, b: RequiredText): RequiredText {
  return { text: a.text + b.text, anyCase: a.anyCase || b.anyCase };
}

/** Texts that differ only in their case become one in any case. */
function distinct(texts: readonly RequiredText[]): readonly RequiredText[] {
  const byText = new Map<string, RequiredText>();
  for (const { text, anyCase } of texts) {
    const small = lowerAscii(text);
    const other = byText.get(small);
    byText.set(small, {
      text,
      anyCase: anyCase || (other !== undefined && (other.anyCase || other.text !== text)),
    });
  }
  return Array.from(byText.values());
}

function knownTexts(texts: readonly RequiredText[]): Knowledge {
  return { texts, condition: anyOf(texts.map(textCondition)) };
}

/** An invalid byte is matched as U+FFFD, and half of a pair as the half that it is, but bodies do not hold their bytes. */
function textCondition({ text, anyCase }: RequiredText): TextCondition {
  const pieces = text.split(/[\ufffd\ud800-\udfff]/u).filter((piece) => piece !== "");
  return allTexts(pieces.map((piece) => ({ kind: "text", text: piece, anyCase })));
}

function allTexts(conditions: readonly TextCondition[]): TextCondition {
  return allOf(conditions, ({ text, anyCase }) => `${anyCase}${text}`);
}

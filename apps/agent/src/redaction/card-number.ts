const FEWEST_DIGITS = 13;
const MOST_DIGITS = 19;

/** Digits in groups, with one space or hyphen between two groups. */
const GROUPS = /\d+(?:[ -]\d+)*/g;
const ENOUGH_DIGITS = /\d(?:[ -]?\d){12}/;
/**
 * The first digits of the networks' numbers (ISO/IEC 7812): Visa, Mastercard, American Express,
 * Discover, Maestro, UnionPay, JCB, Diners Club. One of ten numbers passes Luhn's check by chance:
 * times and identifiers mostly begin otherwise.
 */
const ISSUER = /^(?:4|5[0-8]|2[2-7]|3[0-9]|6)/;

/** Replaces payment card numbers: 13 to 19 digits of a known issuer whose check digit is right. */
export function redactCards(text: string, mask: (start: number, end: number) => string): string {
  if (!ENOUGH_DIGITS.test(text)) {
    return text;
  }
  let result = "";
  let copied = 0;
  for (const match of text.matchAll(GROUPS)) {
    const run = match[0];
    if (run.length < FEWEST_DIGITS) {
      continue;
    }
    for (const [start, end] of cardsIn(run)) {
      const from = match.index + start;
      const to = match.index + end;
      result += text.slice(copied, from) + mask(from, to);
      copied = to;
    }
  }
  return copied === 0 ? text : result + text.slice(copied);
}

/** Ranges of the run that are whole groups and together a card's number. */
function cardsIn(run: string): [number, number][] {
  const groups = [...run.matchAll(/\d+/g)];
  const cards: [number, number][] = [];
  for (let first = 0; first < groups.length; first += 1) {
    if (!/^[2-6]/.test(groups[first]?.[0] ?? "")) {
      continue;
    }
    let digits = "";
    for (let last = first; last < groups.length; last += 1) {
      digits += groups[last]?.[0] ?? "";
      if (digits.length > MOST_DIGITS) {
        break;
      }
      if (digits.length >= FEWEST_DIGITS && ISSUER.test(digits) && isLuhn(digits)) {
        const start = groups[first]?.index ?? 0;
        const end = (groups[last]?.index ?? 0) + (groups[last]?.[0].length ?? 0);
        cards.push([start, end]);
        first = last;
        break;
      }
    }
  }
  return cards;
}

/** ISO/IEC 7812-1, annex B: every second digit from the right doubled, the sum of all digits ends in 0. */
function isLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 0x30;
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

const QUANTIFIER = /(?:[*+?]|\{\d+(?:,\d*)?\})\??/y;
const CLASS_ESCAPES = "dDwWsSbB";

/**
 * Texts that every match of a regular expression holds, in its case: runs of ASCII characters that stand for themselves
 * outside groups, classes and repetitions. A list without entries says that none is known.
 *
 * Conservative by construction: whatever is not recognized ends a run or gives the whole pattern up. `source` must be
 * valid without the flags `u` and `v`.
 */
export function regexLiterals(source: string): readonly string[] {
  const runs: string[] = [];
  let run = "";
  const endRun = (): void => {
    if (run !== "") {
      runs.push(run);
      run = "";
    }
  };
  for (let at = 0; at < source.length;) {
    QUANTIFIER.lastIndex = at;
    const quantifier = QUANTIFIER.exec(source)?.[0];
    const character = source.charAt(at);
    if (quantifier !== undefined) {
      // It may ask for no occurrence of the character before it.
      run = run.slice(0, -1);
      endRun();
      at += quantifier.length;
    } else if (character === "|") {
      return [];
    } else if (character === "(" || character === "[") {
      endRun();
      at = character === "(" ? groupEnd(source, at) : classEnd(source, at);
    } else if (character === "\\") {
      const escaped = source.charAt(at + 1);
      if (/[A-Za-z0-9]/.test(escaped) && !CLASS_ESCAPES.includes(escaped)) {
        // \x41, \u0041, \cA, \k<name>, \1 …: how much they take is a grammar of its own.
        return [];
      }
      if (CLASS_ESCAPES.includes(escaped) || !isAscii(escaped)) {
        endRun();
      } else {
        run += escaped;
      }
      at += 2;
    } else {
      // A brace that is no quantifier stands for itself in this grammar, but nobody should rely on us agreeing.
      if (isAscii(character) && !".^$){}]".includes(character)) {
        run += character;
      } else {
        endRun();
      }
      at++;
    }
  }
  endRun();
  return runs;
}

function isAscii(character: string): boolean {
  return character !== "" && character < "\u0080";
}

function groupEnd(source: string, open: number): number {
  let depth = 0;
  for (let at = open; at < source.length; at++) {
    switch (source[at]) {
      case "\\":
        at++;
        break;
      case "[":
        at = classEnd(source, at) - 1;
        break;
      case "(":
        depth++;
        break;
      case ")":
        depth--;
        if (depth === 0) {
          return at + 1;
        }
        break;
      default:
    }
  }
  return source.length;
}

function classEnd(source: string, open: number): number {
  for (let at = open + 1; at < source.length; at++) {
    if (source[at] === "\\") {
      at++;
    } else if (source[at] === "]") {
      return at + 1;
    }
  }
  return source.length;
}

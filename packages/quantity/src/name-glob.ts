/**
 * The one glob dialect for stored hosts, sources and labels: `*` is any run of characters, `/` included; `?` is one
 * character (a code point); everything else stands for itself, case included. There is no escape and no class.
 * The whole name must match. The work is bounded by the lengths of pattern and name multiplied: nothing backtracks.
 */
export function compileNameGlob(pattern: string): (name: string) => boolean {
  const parts = pattern.split(/\*+/);
  const first = parts[0] ?? "";
  if (parts.length === 1) {
    return pattern.includes("?")
      ? compileWithSingles([Array.from(pattern)])
      : (name) => name === pattern;
  }
  if (pattern.includes("?")) {
    return compileWithSingles(parts.map((part) => Array.from(part)));
  }
  const last = parts[parts.length - 1] ?? "";
  const middle = parts.slice(1, -1);
  const leastLength = parts.reduce((sum, part) => sum + part.length, 0);
  return (name) => {
    if (name.length < leastLength || !name.startsWith(first) || !name.endsWith(last)) {
      return false;
    }
    // The leftmost place of each part leaves the most room for the next, so a first fit needs no second try.
    let from = first.length;
    const end = name.length - last.length;
    for (const part of middle) {
      const at = name.indexOf(part, from);
      if (at === -1 || at + part.length > end) {
        return false;
      }
      from = at + part.length;
    }
    return true;
  };
}

/** Whether a pattern can match anything but itself. */
export function isNameGlob(pattern: string): boolean {
  return pattern.includes("*") || pattern.includes("?");
}

/** Parts are what stands between the stars, as code points; a single part has no star beside it. */
function compileWithSingles(parts: readonly (readonly string[])[]): (name: string) => boolean {
  const first = parts[0] ?? [];
  const last = parts[parts.length - 1] ?? [];
  const middle = parts.slice(1, -1);
  const leastLength = parts.reduce((sum, part) => sum + part.length, 0);
  return (name) => {
    const characters = Array.from(name);
    if (parts.length === 1) {
      return characters.length === first.length && matchesAt(first, characters, 0);
    }
    const end = characters.length - last.length;
    if (
      characters.length < leastLength ||
      !matchesAt(first, characters, 0) ||
      !matchesAt(last, characters, end)
    ) {
      return false;
    }
    let from = first.length;
    for (const part of middle) {
      while (from + part.length <= end && !matchesAt(part, characters, from)) {
        from += 1;
      }
      if (from + part.length > end) {
        return false;
      }
      from += part.length;
    }
    return true;
  };
}

function matchesAt(part: readonly string[], characters: readonly string[], at: number): boolean {
  return part.every((wanted, index) => wanted === "?" || wanted === characters[at + index]);
}

import type { LineWriter } from "./line-writer.ts";
import type { Prng } from "./prng.ts";
import type { World } from "./world.ts";

/** Writes one part of a line. */
export type Part = (line: LineWriter, prng: Prng, world: World) => void;

const FIELD = /\{([a-z0-9]+)(?::([^}]+))?\}/g;

/**
 * Compiles a template: text with fields in braces, each drawn anew for every line. `{n:500}` is an
 * integer below 500, `{skew:500}` one that is mostly small, `{hex:8}` eight random hexadecimal
 * digits, `{frac:3}` three random decimals, `{of:a|b|c}` mostly the first of some words, and a name
 * such as `{ip}` one of a pool of the {@link World}. Throws where a field is unknown.
 */
export function compile(template: string): Part {
  const parts: Part[] = [];
  let from = 0;
  for (const match of template.matchAll(FIELD)) {
    parts.push(literal(template.slice(from, match.index)), fieldPart(match[1] ?? "", match[2]));
    from = match.index + match[0].length;
  }
  parts.push(literal(template.slice(from)));
  return (line, prng, world) => {
    for (const part of parts) part(line, prng, world);
  };
}

function literal(text: string): Part {
  const bytes = Buffer.from(text, "latin1");
  return (line) => line.text(bytes);
}

function fieldPart(name: string, argument: string | undefined): Part {
  if (argument === undefined) return poolPart(name);
  const size = Number(argument);
  switch (name) {
    case "n":
      return (line, prng) => line.integer(prng.below(size));
    case "skew":
      return (line, prng) => line.integer(prng.skewed(size));
    case "frac":
      return (line, prng) => line.padded(prng.below(10 ** size), size);
    case "hex":
      return (line, prng) => {
        for (let left = size; left > 0; left -= 8) line.hex(prng.uint32(), Math.min(left, 8));
      };
    case "of": {
      const words = argument.split("|").map((word) => Buffer.from(word, "latin1"));
      return (line, prng) => {
        const word = words[prng.skewed(words.length)];
        if (word !== undefined) line.text(word);
      };
    }
    default:
      throw new Error(`template field {${name}:${argument}} is unknown`);
  }
}

function poolPart(name: string): Part {
  switch (name) {
    case "port":
      return (line, prng, world) => line.integer(world.port(prng));
    case "counter":
      return (line, prng, world) => line.integer(world.count(prng));
    case "uptime":
      return (line, _prng, world) => {
        line.integer(Math.floor(world.uptimeUs / 1_000_000));
        line.byte(0x2e);
        line.padded(world.uptimeUs % 1_000_000, 6);
      };
    case "ip":
    case "lan":
    case "user":
    case "container":
    case "fingerprint":
    case "unit":
    case "host":
    case "path":
    case "agent":
    case "trace":
      return (line, prng, world) => line.text(world.draw(name, prng));
    default:
      throw new Error(`template field {${name}} is unknown`);
  }
}

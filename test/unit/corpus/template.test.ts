import { describe, expect, test } from "vitest";
import { Clock } from "../../src/corpus/clock.ts";
import { LineWriter } from "../../src/corpus/line-writer.ts";
import { Prng } from "../../src/corpus/prng.ts";
import { compile } from "../../src/corpus/template.ts";
import { World } from "../../src/corpus/world.ts";

function written(template: string): string {
  const prng = new Prng(7);
  const world = new World(prng, new Clock(prng, 0, 1000));
  world.nextLine();
  const line = new LineWriter(Buffer.alloc(1000));
  compile(template)(line, prng, world);
  return line.take().toString("latin1");
}

describe("a template", () => {
  test.each([
    ["no field at all", /^no field at all$/],
    ["{n:1}|{skew:1}", /^0\|0$/],
    ["{n:1000000}", /^\d{1,6}$/],
    ["{hex:40}.", /^[0-9a-f]{40}\.$/],
    ["{frac:3}", /^\d{3}$/],
    ["{of:GET|POST}", /^(GET|POST)$/],
    ["{port}", /^\d{5}$/],
    ["{uptime}", /^\d+\.\d{6}$/],
    ["{fingerprint}", /^[\w+/]{43}$/],
  ])("%s is written in its shape", (template, shape) => {
    expect(written(template)).toMatch(shape);
  });

  test("speaks of one member of a pool throughout a line", () => {
    const [first, second] = written("{ip} {ip}").split(" ");
    expect(first).toBe(second);
  });

  test.each(["{nothing}", "{nothing:3}"])("with the unknown field %s is refused", (template) => {
    expect(() => compile(template)).toThrow("unknown");
  });
});

describe("the generator of random numbers", () => {
  test("spreads evenly below a limit", () => {
    const prng = new Prng(3);
    const counts = Array.from({ length: 10 }, () => 0);
    for (let i = 0; i < 100_000; i += 1) {
      const drawn = prng.below(10);
      counts[drawn] = (counts[drawn] ?? 0) + 1;
    }
    for (const count of counts) {
      expect(count).toBeGreaterThan(9500);
      expect(count).toBeLessThan(10_500);
    }
  });

  test("favours small numbers when skewed, and stays below the limit", () => {
    const prng = new Prng(3);
    const drawn = Array.from({ length: 10_000 }, () => prng.skewed(1000));
    expect(Math.max(...drawn)).toBeLessThan(1000);
    expect(Math.max(...drawn)).toBeGreaterThan(900);
    expect(drawn.filter((value) => value < 125).length).toBeGreaterThan(4700);
  });
});

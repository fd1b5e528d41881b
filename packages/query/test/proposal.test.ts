import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyOf } from "../src/ast.ts";
import type { TextPattern } from "../src/ast.ts";
import { makeProposals } from "../src/proposal.ts";
import type { Proposal } from "../src/proposal.ts";
import { isWordCode, lowerAscii } from "../src/word.ts";
import { filterOf, patterns } from "./filters.ts";

function placesOf({ proposer }: Proposal, bytes: Uint8Array): number[] {
  const propose = proposer.over(bytes);
  const places: number[] = [];
  for (let place = propose(0); place !== -1; place = propose(place + 1)) {
    places.push(place);
  }
  return places;
}

describe("a proposal", () => {
  test.each<[string, readonly string[] | undefined]>([
    ["timeout", ["timeout"]],
    ["timeout level:warn", ["timeout"]],
    ["timeout or *refused*", ["timeout", "refused"]],
    ["/took \\d+ms/", ["took "]],
    ["user.id:42", ["id"]],
    ["level:warn", undefined],
    ["-timeout", undefined],
  ])("for %s is made by the texts %j", (query, texts) => {
    expect(makeProposals(filterOf(query)).proposal?.texts.map(({ text }) => text)).toEqual(texts);
  });

  test.each<[string, boolean]>([
    ["timeout", true],
    ['*"a\tb"', true],
    ["a or *b* or c*", true],
    ['"a\nb"', false],
    ['"a\u0001b"', false],
    ["a b", false],
    ["a or /b/", false],
    ["/a/", false],
    ["msg:a", false],
  ])("for %s can say of a place that it is a match: %s", (query, can) => {
    expect(makeProposals(filterOf(query)).proposal?.matchesAt !== undefined).toBe(can);
  });

  test("gives the start of every occurrence, and says of each whether it is a match", () => {
    const letters = fc.constantFrom("a", "A", "b", "ab", "_", " ", "\t", "é", "É", "ã", "k");
    const needle = fc.array(letters, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(""));
    const body = fc
      .array(
        fc.oneof(
          letters.map((s) => [...Buffer.from(s)]),
          fc.constantFrom([0xff], [0xc3]),
        ),
        {
          maxLength: 8,
        },
      )
      .map((parts) => Buffer.from(parts.flat()));
    const wanted = fc.array(patterns(needle), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(wanted, fc.array(body, { maxLength: 5 }), (texts, bodies) => {
        const { proposal } = makeProposals(
          anyOf(texts.map((pattern: TextPattern) => ({ kind: "text", pattern }))),
        );
        const bytes = Buffer.concat(bodies.flatMap((one) => [one, Buffer.from("\n")]));
        const matches = placesOf(proposal!, bytes).filter((at) => proposal!.matchesAt!(bytes, at));
        const expected: number[] = [];
        for (let at = 0; at < bytes.length; at++) {
          if (texts.some((pattern) => standsAt(pattern, bytes, at))) {
            expected.push(at);
          }
        }
        expect(matches).toEqual(expected);
      }),
      { numRuns: 3000 },
    );
  });
});

/** What a pattern means, said by slices. */
function standsAt({ text, wholeStart, wholeEnd }: TextPattern, bytes: Buffer, at: number): boolean {
  const needle = lowerAscii(Buffer.from(text).toString("latin1"));
  const behind = at + needle.length;
  const cuts = (place: number): boolean =>
    [bytes[place - 1], bytes[place]].every((byte) => byte !== undefined && isWordCode(byte));
  return (
    lowerAscii(bytes.toString("latin1", at, behind)) === needle &&
    !(wholeStart && cuts(at)) &&
    !(wholeEnd && cuts(behind))
  );
}

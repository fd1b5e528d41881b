import type { Filter, TextPattern } from "./ast.ts";
import { makeProposer } from "./proposer.ts";
import type { Proposer } from "./proposer.ts";
import { findRequirement } from "./requirement.ts";
import type { Requirement } from "./requirement.ts";
import type { RequiredText } from "./text-condition.ts";
import { compileTextAt } from "./text-match.ts";
import type { PlaceTest } from "./text-match.ts";

/** How the records of a block that may match a filter are found without looking at each. */
export interface Proposal {
  /** Every matching record holds one of them in its body, by which it is proposed. At least one. */
  readonly texts: readonly RequiredText[];
  readonly proposer: Proposer;
  /** The proposals are complete only where none of these is an attribute or a label. */
  readonly bodyFields: readonly string[];
  /**
   * Where the filter is only texts of which one must be there: whether the record at a proposed place matches by that
   * place. A record of which no place passes does not match, and no look at the record itself is needed.
   *
   * The bytes may be encoded, so long as no occurrence is cut, none arises (a control character, tabs apart, is in no
   * text that has this test) and no word character comes to stand beside another one or away from it.
   */
  readonly matchesAt: PlaceTest | undefined;
}

export interface Proposals {
  /** Undefined where records must be looked at one by one. */
  readonly proposal: Proposal | undefined;
  /** One that proposes fewer records, complete only where `hidesWords` says no of the bodies. Undefined for none. */
  readonly plainProposal: Proposal | undefined;
}

export function makeProposals(filter: Filter): Proposals {
  const matchesAt = compilePlaceTest(filter);
  const propose = (requirement: Requirement | undefined): Proposal | undefined =>
    requirement && {
      texts: requirement.anyOf,
      proposer: makeProposer(requirement.anyOf),
      bodyFields: requirement.bodyFields,
      matchesAt,
    };
  const plain = findRequirement(filter, true);
  return {
    proposal: propose(findRequirement(filter, false)),
    plainProposal: plain?.isPlain === true ? propose(plain) : undefined,
  };
}

function compilePlaceTest(filter: Filter): PlaceTest | undefined {
  const patterns = textsOf(filter);
  if (patterns === undefined || patterns.some(({ text }) => hasControl(text))) {
    return undefined;
  }
  const tests = patterns.map(compileTextAt);
  const [first] = tests;
  return tests.length === 1
    ? first
    : (bytes, place) => {
        for (const test of tests) {
          if (test(bytes, place)) {
            return true;
          }
        }
        return false;
      };
}

/** The texts of a filter that is one text, or several joined by `or`. */
function textsOf(filter: Filter): readonly TextPattern[] | undefined {
  const parts = filter.kind === "or" ? filter.parts : [filter];
  return parts.every((part) => part.kind === "text")
    ? parts.map(({ pattern }) => pattern)
    : undefined;
}

/** Bodies lie side by side with LF between them, and encoded ones may hold other controls for what was left out. */
function hasControl(text: string): boolean {
  return Array.from(text).some((character) => character < " " && character !== "\t");
}

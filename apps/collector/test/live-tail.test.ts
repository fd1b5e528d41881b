import { Failure } from "@sluice/service";
import { describe, expect, test } from "vitest";

import { LinkFailure } from "../src/client/api-link.ts";
import type { FollowEvent } from "../src/api/follow.ts";
import { tailLines, type TailNotice } from "../src/query/live-tail.ts";

type Step = FollowEvent | Error;

const CUT = new LinkFailure("cut", "wait");

function rows(text: string): FollowEvent {
  return { kind: "rows", bytes: Buffer.from(text) };
}

function cursor(at: number, behind = 0): FollowEvent {
  return { kind: "cursor", cursor: at, behind };
}

/** Follows links that behave as the test says, one script a link; the last ends the view. */
async function tail(
  ...links: readonly Step[][]
): Promise<{ text: string; from: Array<number | undefined>; notices: TailNotice[] }> {
  const from: Array<number | undefined> = [];
  const notices: TailNotice[] = [];
  const lines = tailLines({
    source: {
      async *follow(_query, at) {
        from.push(at);
        for (const step of links[from.length - 1] ?? []) {
          if (step instanceof Error) {
            throw step;
          }
          yield step;
        }
      },
    },
    query: "",
    from: 1,
    notice: (notice) => notices.push(notice),
    signal: new AbortController().signal,
    firstPauseMs: 1,
  });
  let text = "";
  for await (const chunk of lines) {
    text += Buffer.from(chunk).toString();
  }
  return { text, from, notices };
}

describe("a live view", () => {
  test("goes on from its last cursor after a cut, without a line twice or lost", async () => {
    const { text, from, notices } = await tail(
      [cursor(1), rows("a\n"), cursor(2), rows("b\n"), CUT],
      [cursor(2), rows("b\n"), rows("c\n"), cursor(4)],
    );
    expect(text).toBe("a\nb\nc\n");
    expect(from).toEqual([1, 2]);
    expect(notices).toEqual([{ kind: "reconnecting", reason: "cut" }, { kind: "reconnected" }]);
  });

  test("tries again until the link works, and says so once", async () => {
    const { notices } = await tail([cursor(1), CUT], [CUT], [CUT], [cursor(1)]);
    expect(notices.map(({ kind }) => kind)).toEqual(["reconnecting", "reconnected"]);
  });

  test("says how far behind it is, and when it has caught up", async () => {
    const { notices } = await tail([cursor(1, 500), cursor(33, 468), cursor(501, 0)]);
    expect(notices).toEqual([
      { kind: "behind", batches: 500 },
      { kind: "behind", batches: 468 },
      { kind: "caught-up" },
    ]);
  });

  test("that never began fails at once", async () => {
    await expect(tail([CUT], [cursor(1)])).rejects.toBe(CUT);
  });

  test("that is refused ends, also after it has worked", async () => {
    const refusal = new Failure("the token is not known", "take another");
    await expect(tail([cursor(1), CUT], [refusal])).rejects.toBe(refusal);
  });
});

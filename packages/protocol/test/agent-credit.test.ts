import { describe, expect, test } from "vitest";
import { LIMITS } from "../src/limits.ts";
import { ack, CREDIT_BYTES, draft, openSession, reject, reset } from "./agent-parts.ts";

describe("the agent's credit", () => {
  const full = LIMITS.batchRawBytes;

  test.each([
    { credit: CREDIT_BYTES, out: [], window: CREDIT_BYTES, why: "all of it while nothing is out" },
    { credit: CREDIT_BYTES, out: [full], window: 3 * full, why: "less what is out" },
    { credit: CREDIT_BYTES, out: [CREDIT_BYTES - 1], window: 1, why: "to the last byte" },
    { credit: CREDIT_BYTES, out: [CREDIT_BYTES], window: 0, why: "none once exactly used up" },
    { credit: CREDIT_BYTES, out: [CREDIT_BYTES + 1], window: 0, why: "none one byte beyond" },
    { credit: 10, out: [], window: full, why: "one batch while nothing is out" },
    { credit: 10, out: [1], window: 9, why: "less than a batch once something is out" },
    { credit: 0, out: [], window: 0, why: "none of none, even while nothing is out" },
    { credit: 0, out: [1], window: 0, why: "none of none" },
  ])("is $window of $credit with $out out: $why", ({ credit, out, window }) => {
    const session = openSession([7]);
    session.receive({ type: "credit", bytes: credit });
    for (const creditBytes of out) {
      session.place(7, 1, draft({ creditBytes }), 0);
    }
    expect(session.window).toBe(window);
    expect(session.isQuiet).toBe(out.length === 0);
  });

  test("comes back with an ack, a reset, a reject, a stop and a disconnect, and not twice", () => {
    const row = [reject(2, 0, 0), reject(3, 0, 0), reject(4, 0, 0)];
    for (const messages of [[ack(1)], [reset(2, 0, 0)], [reject(2, 0, 0)], row]) {
      const session = openSession([7, 8]);
      session.place(7, 1, draft({ creditBytes: 500 }), 0);
      session.place(8, 1, draft({ creditBytes: 60 }), 0);
      for (const message of [...messages, ...messages]) {
        session.receive(message);
      }
      expect(session.window).toBe(CREDIT_BYTES - 60);
      session.disconnected();
      expect(session.isQuiet).toBe(true);
      expect(session.window).toBe(0);
    }
  });

  test("goes on where it shrank to 0 and came back", () => {
    const session = openSession([7]);
    session.place(7, 1, draft({ creditBytes: 500 }), 0);
    expect(session.receive({ type: "credit", bytes: 0 })).toEqual([{ kind: "credit" }]);
    expect(session.window).toBe(0);
    expect(session.receive({ type: "credit", bytes: 600 })).toEqual([{ kind: "credit" }]);
    expect(session.window).toBe(100);
  });

  test("is not taken by gaps and advances, which do not end the quiet either", () => {
    const session = openSession([7]);
    expect(session.place(7, 1, draft({ creditBytes: 0, bodyBytes: 0 }), 0)).toBeDefined();
    expect(session.isQuiet).toBe(true);
    expect(session.window).toBe(CREDIT_BYTES);
  });
});

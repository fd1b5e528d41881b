import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CLOSE_CODES } from "../src/codes.ts";
import { decodeAgentMessage, decodeCollectorMessage } from "../src/control-codec.ts";
import { GAP_CAUSES } from "../src/frame.ts";

const page = readFileSync(new URL("../PROTOCOL.md", import.meta.url), "utf8");

const invariants = [...page.matchAll(/^\| ([A-Z]\d+) *\|[^|]*\| `([^`]+)`: (.*?) *\|$/gm)].map(
  ([, number = "", file = "", title = ""]) => ({ number, file, title }),
);

test("every invariant has a number of its own and names a test", () => {
  expect(invariants.length).toBeGreaterThanOrEqual(23);
  expect(new Set(invariants.map(({ number }) => number)).size).toBe(invariants.length);
  const rows = page.match(/^\| [A-Z]\d+ *\|/gm) ?? [];
  expect(rows.length).toBe(invariants.length);
});

test.each(invariants)("the test that $number names exists: $title", ({ file, title }) => {
  const url = new URL(file, import.meta.url);
  expect(existsSync(url)).toBe(true);
  expect(readFileSync(url, "utf8")).toContain(`"${title}"`);
});

test("the page's examples of control messages are messages", () => {
  const examples = [...page.matchAll(/^\{"type".*\}$/gm)].map(([line]) => line);
  expect(examples.length).toBe(13);
  for (const line of examples)
    expect(decodeAgentMessage(line).ok || decodeCollectorMessage(line).ok).toBe(true);
});

test("the page gives the causes of gaps and the close codes that the code has", () => {
  expect(page).toContain(GAP_CAUSES.map((cause, i) => `${i + 1} ${cause}`).join(", "));
  expect(page).toContain(`closes the connection with ${CLOSE_CODES.badMessage}`);
  expect(page).toContain(`closes\n  with ${CLOSE_CODES.protocolVersion}`);
});

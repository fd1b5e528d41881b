/** Keys that no version has: of every kind that JSON knows. */
const LATER_KEYS = {
  later: true,
  laterList: [1, "two", null],
  laterObject: { nested: { deep: 1.5 } },
};

/**
 * What a later minor version may make of a control message (PROTOCOL.md, "Compatibility"): keys that this one
 * does not know in each of its objects, and a message of a type that it does not know behind it. `labels` are data, and
 * stay as they are.
 */
export function laterMessages(text: string): string[] {
  return [
    JSON.stringify(withKeys(JSON.parse(text))),
    JSON.stringify({ type: "later", ...LATER_KEYS }),
  ];
}

function withKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries: [string, unknown][] = Object.entries(value).map(
    ([key, each]: [string, unknown]) => [key, key === "labels" ? each : withKeys(each)],
  );
  return { ...Object.fromEntries(entries), ...LATER_KEYS };
}

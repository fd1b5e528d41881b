/** Where a value stands in a configuration: keys of mappings, indices (from 0) of lists. */
export type KeyPath = readonly (string | number)[];

const PLAIN_KEY = /^[\w-]+$/;

/** Prints a path as people write it: `retention.rules[0].match.host`, `match["k8s.pod"]`. */
export function formatKeyPath(path: KeyPath): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") {
      text += `[${step}]`;
    } else if (!PLAIN_KEY.test(step)) {
      text += `[${JSON.stringify(step)}]`;
    } else {
      text += text === "" ? step : `.${step}`;
    }
  }
  return text;
}

/** The paths of all scalars in a value. */
export function scalarPaths(value: unknown, path: KeyPath = []): readonly KeyPath[] {
  if (typeof value !== "object" || value === null) {
    return value === undefined ? [] : [path];
  }
  const entries: (readonly [string | number, unknown])[] = Array.isArray(value)
    ? value.map((item: unknown, index) => [index, item])
    : Object.entries(value);
  return entries.flatMap(([step, child]) => scalarPaths(child, [...path, step]));
}

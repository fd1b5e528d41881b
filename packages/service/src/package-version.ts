import { readFileSync } from "node:fs";

/** The version in the package.json of the app whose built module asks. */
export function packageVersion(importMetaUrl: string): string {
  const text = readFileSync(new URL("../package.json", importMetaUrl), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

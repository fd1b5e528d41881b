/**
 * The module that a worker thread runs, beside the one that starts it: `.js` as built, `.ts`
 * where the sources run as they are (Node strips the types).
 */
export function threadUrl(name: string, importMetaUrl: string): URL {
  const extension = importMetaUrl.endsWith(".ts") ? ".ts" : ".js";
  return new URL(name + extension, importMetaUrl);
}

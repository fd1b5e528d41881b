type Sea = typeof import("node:sea");

/** What this process carries in its own executable; undefined where Node.js runs a file. */
export function embedded(): Sea | undefined {
  // Asked for by name, and late: a Node.js that is too old has no such module, and is to say so in a sentence.
  const sea = process.getBuiltinModule?.("node:sea") as Sea | undefined;
  return sea?.isSea() === true ? sea : undefined;
}

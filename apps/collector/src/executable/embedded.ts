/** Node.js's module about the executable that it is in, `node:sea`. */
type Sea = NonNullable<ReturnType<typeof seaModule>>;

/** What this process carries in its own executable; undefined where Node.js runs a file. */
export function embedded(): Sea | undefined {
  const sea = seaModule();
  return sea?.isSea() ? sea : undefined;
}

/** Asked for by name, and late: a Node.js that is too old has no such module, and is to say so in a sentence. */
function seaModule() {
  return process.getBuiltinModule?.("node:sea");
}

/**
 * Who may import whom, as docs/ARCHITECTURE.md states it: the one place that code reads it from.
 *
 * `packages`: names under @sluice/; `builtins`: node: modules without the prefix, or "all";
 * `addons`: libraries that load native code.
 */
export const IMPORT_LAW = {
  quantity: { packages: [], builtins: [], addons: [] },
  protocol: { packages: ["quantity"], builtins: ["zlib", "buffer"], addons: [] },
  retention: { packages: ["quantity", "protocol"], builtins: [], addons: [] },
  query: { packages: ["quantity", "protocol"], builtins: [], addons: [] },
  config: { packages: ["quantity"], builtins: [], addons: [] },
  // What the command lines of both services share.
  service: { packages: [], builtins: "all", addons: [] },
  tail: { packages: ["quantity"], builtins: "all", addons: [] },
  store: {
    packages: ["quantity", "protocol", "retention", "query"],
    builtins: "all",
    addons: ["better-sqlite3"],
  },
  agent: {
    packages: ["tail", "protocol", "config", "service", "quantity"],
    builtins: "all",
    addons: [],
  },
  collector: {
    packages: ["store", "protocol", "retention", "query", "config", "service", "quantity"],
    builtins: "all",
    addons: [],
  },
  web: { packages: ["query"], builtins: [], addons: [] },
  // Public entries of everything, and the addon for the naive baseline of the benchmarks.
  test: {
    packages: [
      "quantity",
      "protocol",
      "retention",
      "query",
      "config",
      "tail",
      "store",
      "agent",
      "collector",
    ],
    builtins: "all",
    addons: ["better-sqlite3"],
  },
};

/** Packages none of whose dependencies, however far away, may load native code. */
export const NEVER_NATIVE = [
  "agent",
  "quantity",
  "protocol",
  "retention",
  "query",
  "config",
  "service",
  "web",
];

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { importDirectionViolations } from "../import-directions.mjs";

/** A lawful workspace, as a map from path to content; objects are written as JSON. */
const LAWFUL = {
  "packages/quantity/package.json": pkg("quantity"),
  "packages/quantity/src/index.ts": `export const second = 1;\n`,
  "packages/protocol/package.json": pkg("protocol", { "@sluice/quantity": "workspace:*" }),
  "packages/protocol/tsconfig.json": { references: [{ path: "../quantity" }] },
  "packages/protocol/src/index.ts": `
    import { zstdCompressSync } from "node:zlib";
    import { Buffer } from "node:buffer";
    import { second } from "@sluice/quantity";
    export { frame } from "./frame.ts";
    export const size = zstdCompressSync(Buffer.alloc(second)).length;
    // import { readFileSync } from "node:fs";
    /* const os = require("node:os"); */
    export const text = 'import net from "node:net"';
  `,
  "packages/protocol/src/frame.ts": `export const frame = 1;\n`,
  "packages/store/package.json": pkg("store", { "better-sqlite3": "catalog:" }),
  "packages/store/src/index.ts": `
    import Database from "better-sqlite3";
    import { Worker } from "node:worker_threads";
    export const open = () => [Database, new Worker(new URL("./thread.ts", import.meta.url))];
  `,
  "packages/store/node_modules/better-sqlite3/package.json": { name: "better-sqlite3" },
  "packages/store/node_modules/better-sqlite3/prebuilds/linux-x64.node": "",
  "apps/agent/package.json": pkg("agent", { "@sluice/protocol": "workspace:*", ws: "catalog:" }),
  "apps/agent/src/index.ts": `
    import { WebSocket } from "ws";
    import type { Frame } from "@sluice/protocol";
    export const dial = (): [typeof WebSocket, Frame?] => [WebSocket];
  `,
  "apps/agent/node_modules/ws/package.json": { name: "ws" },
  "apps/agent/node_modules/@sluice/protocol/package.json": { name: "@sluice/protocol" },
  "packages/protocol/node_modules/@sluice/quantity/package.json": { name: "@sluice/quantity" },
  "apps/collector/package.json": pkg("collector"),
  "apps/collector/src/index.ts": `export {};\n`,
  "test/package.json": pkg("test", { "@sluice/store": "workspace:*" }),
  "test/src/index.ts": `
    export * from "@sluice/store";
    export const corpus = new URL("../../../corpus", import.meta.url);
  `,
};

/** What is changed in the lawful workspace, and the one line that must come of it. */
const UNLAWFUL = [
  {
    rule: "a package that the table does not allow",
    files: { "packages/quantity/src/index.ts": `import "@sluice/protocol";\n` },
    report: "packages/quantity/src/index.ts:1: quantity may not import @sluice/protocol",
  },
  {
    rule: "an app importing an app",
    files: { "apps/agent/src/index.ts": `\nexport * from "@sluice/collector";\n` },
    report: "apps/agent/src/index.ts:2: agent may not import @sluice/collector",
  },
  {
    rule: "types from a package that the table does not allow",
    files: { "apps/agent/src/index.ts": `export type T = import("@sluice/store").T;\n` },
    report: "apps/agent/src/index.ts:1: agent may not import @sluice/store",
  },
  {
    rule: "a built-in in a pure package",
    files: { "packages/protocol/src/frame.ts": `import { readFileSync } from "node:fs";\n` },
    report: "packages/protocol/src/frame.ts:1: protocol may not import node:fs",
  },
  {
    rule: "a built-in's subpath in a pure package",
    files: { "packages/protocol/src/frame.ts": `import { readFile } from "node:fs/promises";\n` },
    report: "packages/protocol/src/frame.ts:1: protocol may not import node:fs/promises",
  },
  {
    rule: "a built-in without its prefix",
    files: { "packages/quantity/src/index.ts": `import net from "net";\n` },
    report: "packages/quantity/src/index.ts:1: quantity may not import node:net",
  },
  {
    rule: "a dynamic import of what is not allowed",
    files: { "packages/protocol/src/frame.ts": "export const f = await import(`node:fs`);\n" },
    report: "packages/protocol/src/frame.ts:1: protocol may not import node:fs",
  },
  {
    rule: "a require of what is not allowed",
    files: { "packages/protocol/src/frame.ts": `export const f = require("node:fs");\n` },
    report: "packages/protocol/src/frame.ts:1: protocol may not import node:fs",
  },
  {
    rule: "a name that is computed when it runs",
    files: { "apps/agent/src/index.ts": `export const load = (name: string) => import(name);\n` },
    report: "apps/agent/src/index.ts:1: agent imports a name that is computed when it runs",
  },
  {
    rule: "a relative path out of the package",
    files: { "apps/agent/src/index.ts": `import "../../../packages/store/src/index.ts";\n` },
    report:
      "apps/agent/src/index.ts:1: agent imports ../../../packages/store/src/index.ts, which is outside of the package",
  },
  {
    rule: "a worker thread of another package",
    files: {
      "apps/agent/src/index.ts": `new Worker(new URL("../../collector/src/x.ts", import.meta.url));\n`,
    },
    report:
      "apps/agent/src/index.ts:1: agent imports ../../collector/src/x.ts, which is outside of the package",
  },
  {
    rule: "a file behind a public entry",
    files: { "test/src/index.ts": `import "@sluice/store/dist/head.js";\n` },
    report:
      "test/src/index.ts:1: test imports @sluice/store/dist/head.js, which is no public entry of @sluice/store",
  },
  {
    rule: "the same in a test beside src",
    files: { "test/e2e/a.test.ts": `import "@sluice/store/dist/head.js";\n` },
    report:
      "test/e2e/a.test.ts:1: test imports @sluice/store/dist/head.js, which is no public entry of @sluice/store",
  },
  {
    rule: "a library that package.json does not declare",
    files: { "apps/collector/src/index.ts": `import { Hono } from "hono";\n` },
    report:
      "apps/collector/src/index.ts:1: collector imports hono, which its package.json does not declare",
  },
  {
    rule: "a development library in what runs",
    files: {
      "apps/collector/package.json": { ...pkg("collector"), devDependencies: { hono: "catalog:" } },
      "apps/collector/src/index.ts": `import { Hono } from "hono";\n`,
    },
    report:
      "apps/collector/src/index.ts:1: collector imports hono, which its package.json does not declare",
  },
  {
    rule: "a manifest that allows what the table forbids",
    files: {
      "packages/quantity/package.json": pkg("quantity", { "@sluice/store": "workspace:*" }),
    },
    report: [
      "packages/quantity/package.json: quantity may not depend on @sluice/store",
      "packages/quantity/package.json: quantity is not wholly installed: @sluice/store",
    ],
  },
  {
    rule: "a workspace package by version",
    files: { "apps/agent/package.json": pkg("agent", { "@sluice/protocol": "1.0.0", ws: "1" }) },
    report: "apps/agent/package.json: agent depends on @sluice/protocol by 1.0.0",
  },
  {
    rule: "a dependency without a project reference",
    files: { "packages/protocol/tsconfig.json": {} },
    report:
      "packages/protocol/tsconfig.json: protocol depends on @sluice/quantity and has no reference to packages/quantity",
  },
  {
    rule: "a native addon outside of the store",
    files: {
      "apps/collector/package.json": pkg("collector", { "better-sqlite3": "catalog:" }),
      "apps/collector/node_modules/better-sqlite3/package.json": {},
      "apps/collector/node_modules/better-sqlite3/binding.gyp": "{}",
    },
    report:
      "apps/collector/package.json: collector may not depend on the native addon better-sqlite3",
  },
  {
    rule: "native code that the agent reaches through a library",
    files: {
      "apps/agent/node_modules/ws/package.json": { dependencies: { utf8: "1" } },
      "apps/agent/node_modules/utf8/package.json": { dependencies: { "node-gyp-build": "4" } },
      "apps/agent/node_modules/node-gyp-build/package.json": {},
    },
    report: "apps/agent/package.json: agent reaches native code: ws > utf8",
  },
  {
    rule: "a package without a line in the table",
    files: { "packages/extra/package.json": pkg("extra") },
    report: "packages/extra: extra has no line in scripts/import-law.mjs",
  },
];

function pkg(name, dependencies = {}) {
  return { name: `@sluice/${name}`, exports: { ".": "./dist/index.js" }, dependencies };
}

let root = "";

function writeTree(files) {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(
      join(root, path),
      typeof content === "string" ? content : JSON.stringify(content),
    );
  }
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sluice-law-"));
  writeTree(LAWFUL);
});

afterEach(() => rmSync(root, { recursive: true }));

test("a lawful workspace has nothing to report", () => {
  expect(importDirectionViolations(root)).toEqual([]);
});

test.each(UNLAWFUL)("reports $rule, and nothing else", ({ files, report }) => {
  writeTree(files);
  expect(importDirectionViolations(root)).toEqual([report].flat());
});

test("a source file that does not parse is an error that names it", () => {
  writeTree({ "packages/quantity/src/index.ts": "import {" });
  expect(() => importDirectionViolations(root)).toThrow("packages/quantity/src/index.ts");
});

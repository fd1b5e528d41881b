import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXIT, type Failure } from "@sluice/service";
import { afterEach, beforeEach, expect, test } from "vitest";

import { resolveTarget } from "../src/client/context.ts";

let folder: string;
let contextFile: string;
let env: Record<string, string>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-context-"));
  contextFile = join(folder, "context.json");
  writeFileSync(join(folder, "own.token"), "own\n");
  writeFileSync(join(folder, "other.token"), "other\n");
  writeFileSync(
    contextFile,
    JSON.stringify({ collector: "https://logs.example", tokenFile: "own.token" }),
  );
  env = { SLUICE_CONTEXT: contextFile };
});

afterEach(() => rmSync(folder, { recursive: true }));

async function resolved(options: object): Promise<string> {
  const target = await resolveTarget(options, env);
  return target.kind === "data"
    ? target.dataDir
    : `${target.url.href} ${target.token?.value ?? "no token"}`;
}

test("a data folder comes before a collector, and that before the context", async () => {
  const collector = "http://127.0.0.1:1";
  expect(await resolved({ data: folder, collector })).toBe(folder);
  expect(await resolved({ collector })).toBe("http://127.0.0.1:1/ no token");
  expect(await resolved({})).toBe("https://logs.example/ own");
});

test("without a context it is this machine's collector", async () => {
  env = { HOME: folder, STATE_DIRECTORY: folder };
  expect(await resolved({})).toBe("http://127.0.0.1:7514/ no token");
});

test("a context of the user is found in the folder for configuration", async () => {
  env = { XDG_CONFIG_HOME: join(folder, "none") };
  expect(await resolved({})).toMatch(/^http:\/\/127\.0\.0\.1:7514\//);
});

test.each([
  ["--token-file before all", { tokenFile: "other.token" }, { SLUICE_TOKEN: "env" }, "other"],
  ["SLUICE_TOKEN before a file", {}, { SLUICE_TOKEN: "env", SLUICE_TOKEN_FILE: "x" }, "env"],
  ["SLUICE_TOKEN_FILE before the context's", {}, { SLUICE_TOKEN_FILE: "other.token" }, "other"],
])("the token comes from %s", async (_, options, variables, expected) => {
  const inFolder = Object.entries({ ...env, ...variables }).map(([name, value]) => [
    name,
    value.endsWith(".token") ? join(folder, value) : value,
  ]);
  env = Object.fromEntries(inFolder) as Record<string, string>;
  const tokenFile = "tokenFile" in options ? join(folder, options.tokenFile) : undefined;
  expect(await resolved({ tokenFile })).toBe(`https://logs.example/ ${expected}`);
});

test.each([
  ["a named context that is not there", { SLUICE_CONTEXT: "/nowhere" }, {}],
  ["a token file that is not there", {}, { tokenFile: "/nowhere" }],
  ["an address that is none", {}, { collector: "localhost:7514" }],
])("%s is a wrong call", async (_, variables, options) => {
  Object.assign(env, variables);
  await expect(resolveTarget(options, env)).rejects.toMatchObject({
    exitCode: EXIT.usage,
  } satisfies Partial<Failure>);
});

test.each(["", "[]", '{"colector":"http://x"}'])("%j is not a context", async (text) => {
  writeFileSync(contextFile, text);
  await expect(resolveTarget({}, env)).rejects.toThrow("is not a context");
});

test.each(["two words", "two\nlines", "esc\u001b[2J"])(
  "SLUICE_TOKEN is refused where it holds %j, which no header can carry",
  async (token) => {
    env["SLUICE_TOKEN"] = token;
    await expect(resolved({})).rejects.toMatchObject({
      message: "SLUICE_TOKEN does not hold a token",
      exitCode: EXIT.usage,
    } satisfies Partial<Failure>);
  },
);

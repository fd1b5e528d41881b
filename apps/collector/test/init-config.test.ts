import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "@sluice/config";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { tokenFolder } from "../src/access/token-files.ts";
import { COLLECTOR_CONFIG } from "../src/config.ts";
import { type ConfigChange, setConfig } from "../src/init/config-file.ts";
import { configText } from "../src/init/config-text.ts";

describe("a first configuration", () => {
  const initial = {
    listen: "0.0.0.0:7514",
    certFile: "/c",
    keyFile: "/k",
    caFile: "/ca",
    publicUrl: undefined,
    productsDir: undefined,
  };
  const packaged = "#listen: 127.0.0.1:7514\n\nretention:\n  keep: 7d\n";
  let dir = "";
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "sluice-init-"));
  });
  afterEach(() => rm(dir, { recursive: true }));

  async function set(text: string): Promise<readonly [ConfigChange, string]> {
    const file = join(dir, "collector.yaml");
    await writeFile(file, text);
    const change = await setConfig(file, { ...initial, dataDir: dir });
    return [change, await readFile(file, "utf8")];
  }

  test("that a package brought gets address and certificate, and keeps the rest", async () => {
    const [change, text] = await set(packaged);
    expect(change).toBe("extended");
    expect(text.startsWith(packaged)).toBe(true);
    const config = loadConfig({
      schema: COLLECTOR_CONFIG,
      text,
      file: "c",
      env: {},
      envPrefix: "SLUICE_",
      flags: {},
    });
    expect(config.ok && config.value.value).toMatchObject({
      listen: "0.0.0.0:7514",
      data_dir: dir,
      tls: { cert_file: "/c" },
    });
    expect(await set(text)).toEqual(["kept", text]);
  });

  test.each([["listen: 127.0.0.1:9\n"], ["data_dir: /elsewhere\n"], ["tls: {}\n"]])(
    "%j stays as it is",
    async (text) => expect(await set(text)).toEqual(["kept", text]),
  );

  test("of a collector that has run stays as it is: agents reach it by plain text", async () => {
    await mkdir(tokenFolder(dir));
    expect(await set(packaged)).toEqual(["kept", packaged]);
  });
});

test("a path with spaces is quoted in the first configuration", () => {
  const text = configText({
    listen: "[::]:7514",
    dataDir: "/a b",
    certFile: "/c",
    keyFile: "/k",
    caFile: "/ca",
    publicUrl: undefined,
    productsDir: undefined,
  });
  expect(text).toContain('data_dir: "/a b"\n');
  expect(text).toContain('listen: "[::]:7514"\n');
});

import { readFileSync, statSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { AgentKey, hashKey } from "../src/enroll/agent-key.ts";
import { Folder } from "./folder.ts";

let folder: Folder;
let path: string;

beforeEach(() => {
  folder = new Folder();
  path = folder.at("agent.key");
});

afterEach(() => folder[Symbol.dispose]());

describe("the agent's key", () => {
  it("waits beside its place until the collector knows it, the same at each try", async () => {
    const key = new AgentKey(path);
    const pending = await key.pending();
    expect(await new AgentKey(path).pending()).toBe(pending);
    expect(await key.current()).toBeUndefined();
    await key.commit();
    expect(await key.current()).toBe(pending);
    expect(readFileSync(path, "utf8")).toBe(`${pending}\n`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await key.pending()).not.toBe(pending);
  });

  it("is not a token that several agents share", async () => {
    writeFileSync(path, "shared-by-all\n");
    expect(await new AgentKey(path).current()).toBeUndefined();
  });

  it("is known by its SHA-256", () => {
    // FIPS 180-2, appendix B.1
    expect(hashKey("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });

  it("that cannot be written says where it could be", async () => {
    writeFileSync(folder.at("file"), "");
    await expect(new AgentKey(folder.at("file/agent.key")).pending()).rejects.toMatchObject({
      advice: expect.stringContaining("in its state_dir") as string,
    });
  });
});

import { readFileSync, statSync, writeFileSync } from "node:fs";
import { Failure } from "@sluice/service";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { loadAgentId, reserveAgentId } from "../src/agent-id.ts";
import { Folder } from "./folder.ts";

let folder: Folder;
let path: string;

beforeEach(() => {
  folder = new Folder();
  path = folder.at("agent-id");
});

afterEach(() => folder[Symbol.dispose]());

describe("the agent's id", () => {
  it("is minted once, and the same from then on", async () => {
    const first = await loadAgentId(path);
    expect(first.isNew).toBe(true);
    expect(first.id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(readFileSync(path, "utf8")).toBe(`${first.id}\n`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await loadAgentId(path)).toEqual({ id: first.id, isNew: false });
  });

  it("that enrolment has reserved is new when the agent first runs: its state is not lost", async () => {
    const reserved = await reserveAgentId(path);
    expect(await reserveAgentId(path)).toBe(reserved);
    expect(await loadAgentId(path)).toEqual({ id: reserved, isNew: true });
    expect(await loadAgentId(path)).toEqual({ id: reserved, isNew: false });
    expect(await reserveAgentId(path)).toBe(reserved);
  });

  it("is another one for another agent", async () => {
    const { id } = await loadAgentId(path);
    expect((await loadAgentId(folder.at("other"))).id).not.toBe(id);
  });

  it.each(["", "\n", "web-1\n", "0b5a7f2e-0000-4000-8000-00000000000", "\0".repeat(37)])(
    "is not replaced where the file holds something else: %j",
    async (content) => {
      writeFileSync(path, content);
      const error: unknown = await loadAgentId(path).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(Failure);
      expect(String(error)).toContain(path);
      expect(readFileSync(path, "utf8")).toBe(content);
    },
  );

  it("cannot be kept in a folder that is not there", async () => {
    await expect(loadAgentId(folder.at("gone/agent-id"))).rejects.toThrow(/ENOENT/);
  });
});

import { cpSync } from "node:fs";
import { join } from "node:path";
import { CLOSE_CODES, CLOSE_NOTES } from "@sluice/protocol";
import { describe, expect, test } from "vitest";

import { ChaosProxy } from "../src/chaos/chaos-proxy.ts";
import { payloadOf } from "../src/chaos/wire-frame.ts";
import { storedProblems, withOneFile } from "../src/one-file.ts";

describe("one agent at a time", () => {
  test("a second agent on the same state folder exits and names the holder", () =>
    withOneFile(async (parts) => {
      const { site, proxy, agent, writer } = parts;
      const second = site.launchAgent({ port: proxy.port, files: [writer.path] });
      const { code, signal } = await second.exited;
      expect({ code, signal }).toEqual({ code: 1, signal: null });
      expect(second.log.map(({ text }) => text).join("\n")).toContain(`process ${agent.pid}`);
      await writer.write(200, 0);
      expect(await storedProblems(parts)).toEqual([]);
    }));

  test("a lock that a killed agent left behind does not hold up the next one", () =>
    withOneFile(async (parts) => {
      const { site, proxy, agent, writer } = parts;
      await writer.write(200, 0);
      await agent.kill();
      await writer.write(200, 0);
      await site.startAgent({ port: proxy.port, files: [writer.path] });
      expect(await storedProblems(parts)).toEqual([]);
    }));

  test("a clone of a live agent is refused, and the live one is not disturbed", () =>
    withOneFile(async (parts) => {
      const { site, proxy, writer } = parts;
      await writer.write(200, 0);
      await site.untilStored(200);
      const stateDir = join(site.dir, "cloned-state");
      cpSync(site.stateDir, stateDir, {
        recursive: true,
        filter: (path) => !path.endsWith(".sock"),
      });
      await using cloneProxy = await ChaosProxy.start(proxy.target);
      let closeCode = 0;
      const closed = cloneProxy.trap({
        from: "collector",
        matches: ({ kind }) => kind === "close",
        spring: (_, frame) => {
          closeCode = payloadOf(frame).readUInt16BE(0);
          return true;
        },
      });
      const clone = await site.startAgent({
        port: cloneProxy.port,
        files: [writer.path],
        stateDir,
      });
      await closed;
      expect(closeCode).toBe(CLOSE_CODES.cloneRefused);
      const told = await clone.logged(({ msg }) => msg.includes(CLOSE_NOTES.cloneRefused.meaning));
      expect(told.fields["advice"]).toBe(CLOSE_NOTES.cloneRefused.reaction);
      await writer.write(200, 0);
      expect(await storedProblems(parts)).toEqual([]);
      expect(proxy.traffic.connections).toBe(1);
    }));
});

import { describe, expect, test } from "vitest";

import { Prng } from "../src/corpus/prng.ts";
import { storedProblems, withOneFile } from "../src/one-file.ts";

describe("every line is stored once and in order", () => {
  test.each([0.01, 0.5, 0.99])("when the connection is reset after %d of a message", (share) =>
    withOneFile(async (parts) => {
      const { proxy, writer } = parts;
      const broken = proxy.trap({
        from: "agent",
        matches: ({ kind, bytes }) => kind === "binary" && bytes.length > 1_000,
        spring: (link, { bytes }) => {
          link.up.send(bytes.subarray(0, Math.ceil(bytes.length * share)));
          link.reset();
          return false;
        },
      });
      await writer.write(3_000, 50);
      await broken;
      await writer.write(500, 50);
      expect(await storedProblems(parts)).toEqual([]);
      expect(proxy.traffic.connections).toBeGreaterThan(1);
    }),
  );

  test("when acks are lost with their connections", () =>
    withOneFile(async (parts) => {
      const { proxy, writer } = parts;
      for (let loss = 0; loss < 3; loss++) {
        const lost = proxy.trap({
          from: "collector",
          matches: (_, control) => control?.type === "ack",
          spring: (link) => {
            link.cut();
            return false;
          },
        });
        await writer.write(200, 0);
        await lost;
      }
      expect(await storedProblems(parts)).toEqual([]);
      // What was committed is not sent again: the collector says where the stream stands.
      expect(proxy.traffic.resets).toEqual(new Map());
    }));

  test("when every byte arrives by itself", () =>
    withOneFile(async (parts) => {
      parts.proxy.weather.pieceBytes = () => 1;
      await parts.writer.write(150, 100);
      expect(await storedProblems(parts)).toEqual([]);
      expect(parts.proxy.traffic.connections).toBe(1);
    }));

  test("when messages are split anywhere on a slow line", () =>
    withOneFile(async (parts) => {
      const random = new Prng(11);
      parts.proxy.weather.pieceBytes = () => 1 + random.below(4_000);
      parts.proxy.weather.bytesPerSecond = 256 * 1024;
      await parts.writer.write(3_000, 200);
      expect(await storedProblems(parts)).toEqual([]);
      expect(parts.proxy.traffic.connections).toBe(1);
    }));
});

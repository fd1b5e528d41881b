import { expect, test } from "vitest";

import { frameMask } from "../src/frame-mask.ts";

test.each([
  ["wss://logs.example.com", false],
  ["ws://127.0.0.1:7514", false],
  ["ws://127.1", false],
  ["ws://[::1]:7514", false],
  ["ws://localhost", false],
  ["ws://logs.example.com", true],
  ["ws://10.0.0.1", true],
  ["ws://127.0.0.1.example.com", true],
  ["ws://localhost.example.com", true],
])("frames to %s have a random mask: %s", (collector, isRandom) => {
  const mask = frameMask(new URL(collector));
  const key = Buffer.from([1, 2, 3, 4]);
  mask?.(key);
  expect([mask === undefined, key.equals(Buffer.alloc(4))]).toEqual([isRandom, !isRandom]);
});

import { Buffer } from "node:buffer";
import { describe, expect, it } from "vitest";

import { releaseMemory } from "../src/memory-release.ts";

describe("memory that is released", () => {
  it("is gone at once, for all views of it", () => {
    const buffer = Buffer.allocUnsafeSlow(1024 * 1024);
    const line = buffer.subarray(100, 200);
    releaseMemory(line);
    expect(buffer.length).toBe(0);
    expect(() => new Uint8Array(line.buffer, line.byteOffset, 10)).toThrow(TypeError);
  });

  it("is left alone where it is cut out of Node's pool", () => {
    const one = Buffer.from("one");
    const other = Buffer.from("other");
    releaseMemory(one);
    expect(one.toString() + other.toString()).toBe("oneother");
  });

  it("is left alone where threads share it", () => {
    const shared = new Uint8Array(new SharedArrayBuffer(1024 * 1024));
    releaseMemory(shared);
    expect(shared.length).toBe(1024 * 1024);
  });
});

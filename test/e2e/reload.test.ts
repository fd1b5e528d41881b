import { describe, expect, test } from "vitest";

import { runReloads } from "../src/reload/reload-run.ts";

describe("a reload", () => {
  test("under load, ten times with other settings each, stores every line once and in order", async () => {
    const { problems, epochs } = await runReloads({ reloads: 10, linesPerReload: 1_500, seed: 3 });
    expect(problems).toEqual([]);
    expect(epochs).toBeGreaterThan(10);
  });
});

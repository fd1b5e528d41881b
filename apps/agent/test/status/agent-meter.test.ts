import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { Checkpoints } from "../../src/checkpoints.ts";
import { AgentMeter } from "../../src/status/agent-meter.ts";

const SOURCE = "journald";

let folder: string;
let meter: AgentMeter;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "sluice-meter-"));
  meter = new AgentMeter(await Checkpoints.load(join(folder, "state"), false, () => undefined), 0);
});

afterEach(() => rmSync(folder, { recursive: true }));

describe("what an agent measures of itself", () => {
  it("counts what rules do by source, over all its streams", () => {
    meter.processing.of("/a").excluded += 1;
    meter.processing.of("/b").redactions += 1;
    meter.processing.of("/a").excluded += 1;
    expect([...meter.processing.counts]).toMatchObject([
      ["/b", { excluded: 0, redactions: 1 }],
      ["/a", { excluded: 2, redactions: 0 }],
    ]);
  });

  it("forgets the trouble with a journal that is read again", () => {
    const failed = { code: "hung", detail: "silent", retryInMs: 250 } as const;
    const event = { kind: "journal-failed", source: SOURCE, ...failed } as const;
    meter.note({ kind: "tail", event }, 0);
    expect(meter.troubles.of(SOURCE)?.message).toMatch(/journalctl failed/);
    meter.note({ kind: "tail", event: { kind: "journal-recovered", source: SOURCE } }, 1);
    expect(meter.troubles.of(SOURCE)).toBeUndefined();
  });

  it("counts each gap that is sent once, whatever else is said of it", () => {
    const gap = { source: SOURCE, cause: "vacuumed", detail: "" } as const;
    meter.note({ kind: "tail", event: { kind: "journal-gap", ...gap } }, 0);
    meter.gapSent();
    expect(meter.gaps).toBe(1);
  });
});

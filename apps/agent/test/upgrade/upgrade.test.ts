import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { upgrade, type UpgradeParts } from "../../src/upgrade/upgrade.ts";

const OLD = "#!/bin/sh\necho 'sluice-agent 0.1.0 (old)'\n";
const NEW = "#!/bin/sh\necho 'sluice-agent 0.2.0 (new)'\n";

let dir: string;
let file: string;
let said: string[];
/** What the service ran at each restart. */
let restarts: string[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sluice-upgrade-"));
  file = join(dir, "sluice-agent");
  writeFileSync(file, OLD);
  chmodSync(file, 0o755);
  said = [];
  restarts = [];
});
afterEach(() => rmSync(dir, { recursive: true }));

const sum = (text: string): string => createHash("sha256").update(text).digest("hex");

interface World {
  /** What is offered, and under which sum. */
  readonly offer?: string;
  readonly listed?: string;
  readonly isActive?: boolean;
  /** Whether the agent of this program comes up, and connects. */
  readonly isWell?: (program: string) => boolean;
  readonly connects?: (program: string) => boolean;
}

function partsOf({
  offer = NEW,
  listed = sum(offer),
  isActive = true,
  isWell = () => true,
  connects = () => true,
}: World = {}): UpgradeParts {
  let running = OLD;
  return {
    source: {
      origin: "https://logs.example.net",
      sums: () => Promise.resolve(new Map([["sluice-agent-linux-x64", listed]])),
      download: (_name, to) => {
        writeFileSync(to, offer);
        return Promise.resolve(sum(offer));
      },
    },
    product: "sluice-agent-linux-x64",
    file,
    service: {
      isActive: () => Promise.resolve(isActive),
      restart: () => {
        running = readFileSync(file, "utf8");
        restarts.push(running);
        return isWell(running) ? Promise.resolve() : Promise.reject(new Error("it ended with 1"));
      },
    },
    status: () =>
      Promise.resolve({
        pid: restarts.length + 1,
        connection: { state: connects(running) ? "connected" : "disconnected" },
      } as never),
    healthyWithinMs: 50,
    say: (line) => said.push(line),
  };
}

/** Nothing but the program, whichever it is: no half of a download, no copy. */
function expectInPlace(program: string): void {
  expect(readFileSync(file, "utf8")).toBe(program);
  expect(readdirSync(dir)).toEqual(["sluice-agent"]);
}

describe("an upgrade", () => {
  it("puts the new program in place, and leaves nothing beside it", async () => {
    await upgrade(partsOf());
    expectInPlace(NEW);
    expect(restarts).toEqual([NEW]);
    expect(said.join("\n")).toContain("downloaded sluice-agent 0.2.0 (new)");
  });

  it("to what is there already does nothing", async () => {
    await upgrade(partsOf({ offer: OLD }));
    expectInPlace(OLD);
    expect(restarts).toEqual([]);
    expect(said).toEqual([expect.stringContaining("nothing to do")]);
  });

  it("where no service runs says that the agent has to be started anew", async () => {
    await upgrade(partsOf({ isActive: false }));
    expectInPlace(NEW);
    expect(restarts).toEqual([]);
    expect(said.at(-1)).toContain("start your agent anew");
  });

  it("of an agent that was not connected does not ask for a connection", async () => {
    await upgrade(partsOf({ connects: () => false }));
    expectInPlace(NEW);
  });
});

describe("the old program stays where", () => {
  it.each<[string, World, string]>([
    ["the download has another sum", { listed: sum("another") }, "is not what SHA256SUMS says"],
    ["the new one does not run", { offer: "#!/bin/sh\nexit 3\n" }, "does not run on this host"],
    ["the new one is for another platform", { offer: "\x7fELF of another" }, "does not run"],
    ["the new one is something else", { offer: "#!/bin/sh\necho hello\n" }, "does not run"],
  ])("%s", async (_name, world, message) => {
    await expect(upgrade(partsOf(world))).rejects.toThrow(message);
    expectInPlace(OLD);
    expect(restarts).toEqual([]);
  });

  it("the collector does not offer one", async () => {
    const parts = partsOf();
    await expect(upgrade({ ...parts, product: "sluice-agent-linux-arm64" })).rejects.toThrow(
      "offers no sluice-agent-linux-arm64",
    );
    expectInPlace(OLD);
  });
});

describe("the old program is taken back, and runs again, where", () => {
  it("the service does not come up with the new one", async () => {
    const parts = partsOf({ isWell: (program) => program === OLD });
    await expect(upgrade(parts)).rejects.toThrow("it ended with 1");
    expectInPlace(OLD);
    expect(restarts).toEqual([NEW, OLD]);
  });

  it("the new one does not connect within its time, and the old one was connected", async () => {
    const parts = partsOf({ connects: (program) => program === OLD });
    await expect(upgrade(parts)).rejects.toThrow("it is disconnected after 0 s");
    expectInPlace(OLD);
    expect(restarts).toEqual([NEW, OLD]);
  });
});

it("at each moment of an upgrade a whole program is in its place", async () => {
  const parts = partsOf();
  const seen: boolean[] = [];
  const look = (): void => {
    seen.push(existsSync(file) && [OLD, NEW].includes(readFileSync(file, "utf8")));
  };
  const timer = setInterval(look, 0);
  await upgrade({
    ...parts,
    status: async () => {
      look();
      return parts.status();
    },
  });
  clearInterval(timer);
  expect(new Set(seen)).toEqual(new Set([true]));
});

import { appendFileSync, renameSync, unlinkSync } from "node:fs";
import { expect, it } from "vitest";

import type { SourceSettings } from "../src/agent-settings.ts";
import { Checkpoints } from "../src/checkpoints.ts";
import type { ConfiguredSource } from "../src/configured-source.ts";
import { SourceSet } from "../src/source-set.ts";
import { Folder } from "./folder.ts";

function sourceOf(...include: readonly string[]): SourceSettings {
  const kind = "file";
  const nothing = { exclude: [], roots: [], labels: {}, processing: undefined };
  return { kind, include, ...nothing, start: "beginning", encoding: undefined };
}

function throwError(error: unknown): never {
  throw error;
}

it("a file that goes to another source and back, twice, is known by whoever has it", async () => {
  using folder = new Folder();
  const app = folder.at("app.log");
  const other = folder.at("other.log");
  const statePath = folder.at("state.json");
  appendFileSync(app, "");
  appendFileSync(other, "1\n");
  const owners: ConfiguredSource[] = [];
  await using checkpoints = await Checkpoints.load(statePath, false, throwError);
  await using sources = new SourceSet([sourceOf(app)], {
    checkpoints,
    statePath,
    own: { folders: [], files: [] },
    emit: () => undefined,
    changed: (owner) => owners.push(owner),
  });
  await sources.start();
  const source = sources.owner(app)?.source;
  source?.finish({ source: app, generation: 1 });
  renameSync(app, `${app}.1`);
  appendFileSync(app, "2\n");
  await source?.rescan();
  unlinkSync(`${app}.1`);
  const streams = (): string[] =>
    sources
      .owner(app)
      ?.source.streams()
      .map(({ source: path, generation }) => `${path} ${generation}`) ?? [];
  expect(streams()).toEqual([`${app} 2`]);
  for (const settings of [sourceOf(app, other), sourceOf(app), sourceOf(app, other)]) {
    await sources.reconfigure([settings], async () => undefined);
    expect(streams()).toContain(`${app} 2`);
    expect(streams()).not.toContain(`${app} 1`);
  }
});

import { expect, it } from "vitest";

import { renderUnit, type UnitOptions } from "../../src/systemd/unit.ts";

const UNIT: UnitOptions = {
  name: "sluice-agent",
  description: "an agent",
  command: ["/usr/bin/sluice-agent", "run"],
  groups: ["adm"],
  settings: ["MemoryMax=256M"],
  environment: { MALLOC_ARENA_MAX: "1" },
  home: "yes",
  capabilities: [],
};

it("has no MemoryDenyWriteExecute, under which V8 cannot compile", () => {
  expect(renderUnit(UNIT)).not.toContain("MemoryDenyWriteExecute");
});

it("has no capability but those that are asked for, and no user namespace beside them", () => {
  expect(renderUnit(UNIT).split("\n")).toEqual(
    expect.arrayContaining(["CapabilityBoundingSet=", "AmbientCapabilities=", "PrivateUsers=yes"]),
  );
  const capabilities = ["CAP_DAC_READ_SEARCH"];
  expect(renderUnit({ ...UNIT, capabilities }).split("\n")).toEqual(
    expect.arrayContaining([
      "CapabilityBoundingSet=CAP_DAC_READ_SEARCH",
      "AmbientCapabilities=CAP_DAC_READ_SEARCH",
      "PrivateUsers=no",
    ]),
  );
});

it.each([
  ["/opt/my tools/sluice", '"/opt/my tools/sluice"'],
  ["/opt/100%/sluice", "/opt/100%%/sluice"],
  ["/opt/$HOME/sluice", "/opt/$$HOME/sluice"],
  ['/opt/a"b/sluice', '"/opt/a\\"b/sluice"'],
])("a command's word is one to systemd too: %s", (word, written) => {
  expect(renderUnit({ ...UNIT, command: [word, "run"] })).toContain(`ExecStart=${written} run\n`);
});

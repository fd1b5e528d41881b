import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type { SourceSettings } from "../src/agent-settings.ts";
import { loadSettings } from "../src/settings.ts";

let folder: string;

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "sluice-sources-"))));

afterEach(() => rmSync(folder, { recursive: true }));

async function load(yaml: string): Promise<readonly SourceSettings[]> {
  const file = join(folder, "agent.yaml");
  writeFileSync(file, yaml);
  const { settings } = await loadSettings({ file, flags: {}, env: { STATE_DIRECTORY: folder } });
  return settings.sources;
}

describe("a journald source", () => {
  test.each(["- journald: {}", "- journald:"])(
    "%j reads this machine's journal from now on",
    async (item) => {
      expect(await load(`sources:\n  ${item}\n`)).toEqual([
        {
          kind: "journald",
          directory: undefined,
          match: [],
          units: [],
          fields: undefined,
          start: "end",
          labels: {},
          processing: undefined,
        },
      ]);
    },
  );

  test("takes a folder, filters, fields, a start, labels and rules", async () => {
    const yaml = `
      sources:
        - journald:
            directory: /var/log/journal/remote/
            match: [_UID=1000, "+", _TRANSPORT=kernel]
            units: ssh.service
            fields: [_PID, _HOSTNAME]
          start: 24h
          labels: {env: prod}
          attributes: {team: web}
    `;
    expect(await load(yaml)).toEqual([
      {
        kind: "journald",
        directory: "/var/log/journal/remote",
        match: ["_UID=1000", "+", "_TRANSPORT=kernel"],
        units: ["ssh.service"],
        fields: ["_PID", "_HOSTNAME"],
        start: { withinMs: 86_400_000 },
        labels: { env: "prod" },
        processing: { attributes: { team: "web" } },
      },
    ]);
  });

  test("stands beside files and other journals", async () => {
    const yaml = "sources: [{file: /a.log}, {journald: {}}, {journald: {directory: /j}}]";
    expect((await load(yaml)).map(({ kind }) => kind)).toEqual(["file", "journald", "journald"]);
  });
});

describe("a fault in a source is told where it stands and as its kind has it", () => {
  test.each([
    ["- {}", "2:5: sources[0]: expected one of the keys file, journald: what to read"],
    ["- start: end", "2:5: sources[0]: expected one of the keys file, journald: what to read"],
    ["- /var/log/syslog", "2:5: sources[0]: expected a mapping"],
    [
      "- {file: /x, journald: {}}",
      "2:5: sources[0]: file and journald are sources of their own: write an item for each",
    ],
    ["- {journal: {}}", "2:5: sources[0]: expected one of the keys file, journald: what to read"],
    ["- {journald: {units: []}}", "2:24: sources[0].journald.units: expected at least 1 entry"],
    [
      "- {journald: {unit: a}}",
      "2:17: sources[0].journald.unit: unknown key (did you mean units?)",
    ],
    [
      "- {journald: {match: --file=/etc/shadow}}",
      "2:24: sources[0].journald.match: expected a match such as _SYSTEMD_UNIT=ssh.service",
    ],
    [
      "- {journald: {match: [ssh.service]}}",
      "2:25: sources[0].journald.match[0]: expected a match such as _SYSTEMD_UNIT=ssh.service",
    ],
    [
      "- {journald: {units: --file=/etc/shadow}}",
      "2:24: sources[0].journald.units: expected the name of a unit such as ssh.service",
    ],
    [
      "- {journald: {fields: [pid]}}",
      "2:26: sources[0].journald.fields[0]: expected a field by journald's name",
    ],
    [
      "- {journald: {}, start: later}",
      "2:27: sources[0].start: expected one of end, beginning or a duration",
    ],
    [
      "- {journald: {}, exclude: /x}",
      "2:20: sources[0].exclude: unknown key (not beside the other keys here)",
    ],
    [
      "- {journald: {}, severity: {field: lvl}}",
      "2:38: sources[0].severity.field: there are no fields without parse",
    ],
    [
      "- {journald: {}, multiline: java}",
      "2:31: sources[0].multiline: is for files: an entry of a journal is one record already",
    ],
    [
      '- {journald: {directory: "/a\\0b"}}',
      "2:28: sources[0].journald.directory: expected a folder",
    ],
    ['- {file: "/a\\0b"}', "2:12: sources[0].file: expected a path or a glob"],
    [
      "- {journald: {}, attributes: {sluice.x: y}}",
      "2:32: sources[0].attributes: names that begin with sluice. are those of marks",
    ],
    [
      "- {file: /x, labels: {a/b: y}}",
      '2:30: sources[0].labels["a/b"]: expected a name of letters, digits, _, . and -, such as env',
    ],
    ["- {file: /x, exclud: /y}", "2:16: sources[0].exclud: unknown key (did you mean exclude?)"],
    [
      "- {journald: {directory: /j}}\n  - {journald: {directory: /j/, units: a}}",
      "3:16: sources[1].journald: an item above reads the same journal",
    ],
  ])("%s", async (item, message) => {
    await expect(load(`sources:\n  ${item}\n`)).rejects.toMatchObject({
      message: expect.stringContaining(`agent.yaml:${message}`),
    });
  });
});

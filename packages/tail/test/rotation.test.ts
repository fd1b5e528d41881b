import { describe, expect, it } from "vitest";
import { rotationBases, rotationSuffix, sortOldestFirst } from "../src/rotation.ts";

describe("the name of a rotated file", () => {
  it.each([
    ["syslog.1", "number", "1", undefined],
    ["syslog.12", "number", "12", undefined],
    ["syslog.2.gz", "number", "2", "gz"],
    ["syslog-20261122", "date", "20261122", undefined],
    ["syslog-20261122.zst", "date", "20261122", "zst"],
    ["syslog-2026112203", "date", "2026112203", undefined],
    ["syslog-20261122-1795000000", "date", "20261122-1795000000", undefined],
    ["syslog.2026-11-22", "date", "2026-11-22", undefined],
    ["syslog.2026-11-22_03.1", "date", "2026-11-22_03.1", undefined],
  ])("is recognised in %s", (name, scheme, order, compression) => {
    expect(rotationSuffix("syslog", name)).toEqual({ scheme, order, compression });
    expect(rotationBases(name)).toContain("syslog");
  });

  it.each(["syslog", "syslog.", "syslog.1a", "syslog.old", "syslog-1", "syslogd.1", "syslog.gz"])(
    "is not seen in %s",
    (name) => {
      expect(rotationSuffix("syslog", name)).toBeUndefined();
    },
  );
});

describe("the order of rotated files", () => {
  const files = (...entries: readonly (readonly [string, bigint])[]) =>
    entries.map(([path, mtimeNs]) => {
      const suffix = rotationSuffix("a", path);
      if (suffix === undefined) throw new Error(path);
      return { path, mtimeNs, suffix };
    });

  it.each([
    ["falls with the number", files(["a.2", 1n], ["a.10", 0n], ["a.1", 2n]), "a.10 a.2 a.1"],
    ["falls with the number at equal times", files(["a.1", 5n], ["a.2", 5n]), "a.2 a.1"],
    ["rises where the writer counts upwards", files(["a.2", 2n], ["a.1", 1n]), "a.1 a.2"],
    [
      "is that of the dates",
      files(["a-20261122", 1n], ["a-20261121", 2n]),
      "a-20261121 a-20261122",
    ],
    [
      "is that of the last writes among mixed names",
      files(["a.1", 2n], ["a-20261122", 1n]),
      "a-20261122 a.1",
    ],
  ])("%s", (_, input, expected) => {
    expect(sortOldestFirst(input).map((file) => file.path)).toEqual(expected.split(" "));
  });
});

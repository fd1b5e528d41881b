import { describe, expect, it } from "vitest";

import { conclude, fail, formatDoctor, ok, warn } from "../../src/doctor/doctor-report.ts";

const WELL = ok("state_dir", "can be written");
const ODD = warn("clock", "is 9s ahead", "keep it by NTP");
const WRONG = fail("token", "is refused", "copy it again");

describe("a doctor's verdict", () => {
  it.each([
    ["yes", [WELL], "ok", null],
    ["yes, with the first thing that is odd", [WELL, ODD], "warn", "keep it by NTP"],
    ["no, with the first thing that is in the way", [ODD, WELL, WRONG], "fail", "copy it again"],
  ] as const)("is %s", (_, checks, verdict, next) => {
    expect(conclude(checks)).toEqual({ verdict, next });
  });

  it("is printed below its reasons, each with what to do", () => {
    const checks = [WELL, ODD, WRONG];
    const report = { host: "h", configFile: "a.yaml", user: "sluice", checks, ...conclude(checks) };
    expect(formatDoctor(report, false)).toBe(
      [
        "a.yaml, looked at as sluice",
        "ok    state_dir  can be written",
        "warn  clock      is 9s ahead",
        "                 -> keep it by NTP",
        "FAIL  token      is refused",
        "                 -> copy it again",
        "",
        "No: something is in the way.",
        "Next: copy it again",
        "",
      ].join("\n"),
    );
  });

  it("lets no control character of a path through, wherever it stands", () => {
    const path = "/log/\u001b[2J";
    const checks = [fail(path, path, path)];
    const report = { host: "h", configFile: path, user: "u", checks, ...conclude(checks) };
    expect(formatDoctor(report, false)).not.toContain("\u001b");
  });
});

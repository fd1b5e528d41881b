import { renameSync, unlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Collector, Folder } from "./tail-fixture.ts";

const LOGS = 200;
const ROTATIONS = 3;

describe("10,000 changes between two looks", () => {
  it("are reconciled by the next one: no notice of the system is needed to find them", async () => {
    using folder = new Folder("/dev/shm");
    const collector = new Collector({ include: [folder.at("*.log")], start: "beginning" });
    let changes = 0;
    const append = (name: string, text: string): void => {
      folder.append(name, text);
      changes += 1;
    };
    for (let n = 0; n < LOGS; n += 1) append(`${n}.log`, "0\n");
    await collector.start();
    for (let round = 1; round <= ROTATIONS; round += 1) {
      for (let n = 0; n < LOGS; n += 1) {
        for (let age = round - 1; age >= 0; age -= 1) {
          const from = age === 0 ? `${n}.log` : `${n}.log.${age}`;
          renameSync(folder.at(from), folder.at(`${n}.log.${age + 1}`));
          changes += 1;
        }
        append(`${n}.log`, `${round}\n`);
      }
    }
    while (changes < 10_000) {
      append("passing", "x");
      unlinkSync(folder.at("passing"));
      changes += 1;
    }
    await collector.rescan();
    for (const stream of collector.source.streams()) await collector.drain(stream);
    for (let n = 0; n < LOGS; n += 1) {
      expect(collector.generations(folder.at(`${n}.log`))).toEqual(["0\n", "1\n", "2\n", "3\n"]);
    }
    await collector.stop();
  }, 60_000);
});

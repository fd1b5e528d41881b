import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";

/** Unit suites: one project per folder of packages/ and apps/ that has tests. */
const unitProjects: TestProjectInlineConfiguration[] = ["packages", "apps"].flatMap((group) =>
  readdirSync(join(import.meta.dirname, group))
    .filter((name) => existsSync(join(import.meta.dirname, group, name, "test")))
    .map((name) => ({
      extends: true,
      test: {
        name,
        root: join(import.meta.dirname, group, name),
        include: ["test/**/*.test.ts"],
        testTimeout: 10_000,
        // A process runs many files: half of their time was loading the same modules anew.
        isolate: false,
        restoreMocks: true,
        unstubEnvs: true,
      },
    })),
);

/**
 * Threads and processes that tests start from the sources strip the types of a hundred modules each time, which
 * takes most of a second; from Node's own cache of what it compiled it takes a third of that.
 */
const COMPILE_CACHE = join(import.meta.dirname, "node_modules", ".cache", "compile");

export default defineConfig({
  test: {
    env: { NODE_COMPILE_CACHE: COMPILE_CACHE },
    // What is waited for comes when the machine gets to it.
    expect: { poll: { timeout: 10_000 } },
    // More than the two processors of CI: some of their time is waiting for threads and disks.
    maxWorkers: 3,
    projects: [
      ...unitProjects,
      {
        extends: true,
        test: {
          name: "scripts",
          root: join(import.meta.dirname, "scripts"),
          include: ["test/**/*.test.mjs"],
          testTimeout: 10_000,
        },
      },
      {
        extends: true,
        test: {
          // Faults, soak and benchmarks live beside these and run by their own commands.
          name: "end-to-end",
          root: join(import.meta.dirname, "test"),
          include: ["e2e/**/*.test.ts", "unit/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // After the unit suites, so that timings are not those of a crowded machine.
          sequence: { groupOrder: 1 },
          // Most of their time is waiting for processes.
          maxWorkers: 4,
        },
      },
    ],
  },
});

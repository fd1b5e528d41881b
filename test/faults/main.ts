import { readCommandLine } from "../src/command-line.ts";
import { PRODUCT } from "../src/product.ts";
import { runEnrolSuite } from "./enrol-suite.ts";
import { runFuzzSuite } from "./fuzz-suite.ts";
import { runHalfOpenSuite } from "./half-open-suite.ts";
import { runHerdSuite } from "./herd-suite.ts";
import { runIdleSuite } from "./idle-suite.ts";
import { runInstallSuite } from "./install-suite.ts";
import { runKillSuite } from "./kill-suite.ts";
import { runLogrotateSuite } from "./logrotate-suite.ts";
import { runMutantSuite } from "./mutant-suite.ts";
import { runPowerLossSuite } from "./power-loss-suite.ts";
import { runReloadSuite } from "./reload-suite.ts";
import { runRotationSuite } from "./rotation-suite.ts";
import { runSoakSuite } from "./soak-suite.ts";
import { runStoreKillSuite } from "./store-kill-suite.ts";

const USAGE = `usage: pnpm faults NAME [options]
  kill      kill -9 of both sides during writing, rotation and damage
              --kills N       of each side (30)
              --lines N       (500000)   --rotate-every N  of one file (20000)
              --damages N     (10)       --seed N          (1)
  store-kill  kill -9 of a store in the middle of its jobs, at random and at each named step
              --kills N       at random (200)      --seed N  (1)
  power-loss  a store on what a disk may hold after the power has gone
              --states N      (500)      --seed N          (1)
  rotation  files renamed, cut, compressed, deleted, swapped: agent up, down, killed
              --seed N        (1)
  logrotate Debian's logrotate by several policies while the files are written to
              --rotations N   (50)       --seed N          (1)
  soak      parts of the rotation matrix by chance, one after the other
              --minutes N     (10)       --seed N          (1)
  mutants   the tests above against mutants of the product, each of which must fail one
              --seed N        (1)        --only TEXT       in the mutant's name
  half-open a connection that goes dead without a word: a new one within a minute
  enrol     a collector, a host and a man in the middle, each in a network of its own
  idle      minutes without a line, then lines
              --minutes N     (10)
  install   packages and services on a fresh Debian: installed, run, removed (pnpm products first)
  reload    SIGHUP under load, each time with another configuration
              --reloads N     (100)      --seed N          (1)
  herd      500 agents whose collector is restarted: they come back spread out
              --restarts N    (20)       --seed N          (1)
  fuzz      mutated frames and raw bytes at a collector, beside a healthy agent
              --frames N      (1000000)  --strings N       (200000)
              --seed N        (1)`;

const OPTIONS = {
  kills: { type: "string" },
  states: { type: "string", default: "500" },
  lines: { type: "string", default: "500000" },
  "rotate-every": { type: "string", default: "20000" },
  damages: { type: "string", default: "10" },
  rotations: { type: "string", default: "50" },
  minutes: { type: "string", default: "10" },
  seed: { type: "string", default: "1" },
  reloads: { type: "string", default: "100" },
  restarts: { type: "string", default: "20" },
  frames: { type: "string", default: "1000000" },
  strings: { type: "string", default: "200000" },
  only: { type: "string", default: "" },
  help: { type: "boolean", default: false },
} as const;

/** Rotations that are often closer together than the agent's looks for new files. */
const LOGROTATE = { pauseMs: 1_000, linesPerSecond: 3_000 } as const;

/** Runs a fault suite by name; returns the exit code: 0 passed, 1 failed, 2 wrong usage. */
async function main(): Promise<number> {
  const commandLine = readCommandLine(OPTIONS);
  if (commandLine === undefined || commandLine.values.help) {
    process.stderr.write(`${USAGE}\n`);
    return commandLine === undefined ? 2 : 0;
  }
  const { values, positionals } = commandLine;
  const [name = ""] = positionals;
  const numbers = {
    kills: Number(values.kills ?? (name === "store-kill" ? "200" : "30")),
    states: Number(values.states),
    lines: Number(values.lines),
    rotateEvery: Number(values["rotate-every"]),
    damages: Number(values.damages),
    rotations: Number(values.rotations),
    minutes: Number(values.minutes),
    reloads: Number(values.reloads),
    restarts: Number(values.restarts),
    frames: Number(values.frames),
    strings: Number(values.strings),
    seed: Number(values.seed),
  };
  if (!Object.values(numbers).every(Number.isSafeInteger)) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const { kills, states, lines, rotateEvery, damages, rotations, minutes, reloads, seed } = numbers;
  switch (name) {
    case "kill":
      return (await runKillSuite({ kills, lines, rotateEvery, damages, seed })) ? 0 : 1;
    case "store-kill":
      return (await runStoreKillSuite({ kills, seed })) ? 0 : 1;
    case "power-loss":
      return (await runPowerLossSuite({ states, seed })) ? 0 : 1;
    case "rotation":
      return (await runRotationSuite({ seed })) ? 0 : 1;
    case "logrotate":
      return (await runLogrotateSuite({ ...LOGROTATE, product: PRODUCT, rotations, seed })) ? 0 : 1;
    case "soak":
      return (await runSoakSuite({ minutes, seed })) ? 0 : 1;
    case "mutants":
      return (await runMutantSuite({ seed, only: values.only })) ? 0 : 1;
    case "idle":
      return (await runIdleSuite({ minutes })) ? 0 : 1;
    case "install":
      return (await runInstallSuite()) ? 0 : 1;
    case "reload":
      return (await runReloadSuite({ reloads, seed })) ? 0 : 1;
    case "enrol":
      return (await runEnrolSuite()) ? 0 : 1;
    case "herd":
      return (await runHerdSuite(numbers)) ? 0 : 1;
    case "fuzz":
      return (await runFuzzSuite(numbers)) ? 0 : 1;
    case "half-open":
      return (await runHalfOpenSuite()) ? 0 : 1;
    default:
      process.stderr.write(`${USAGE}\n`);
      return 2;
  }
}

process.exitCode = await main();

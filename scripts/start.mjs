/**
 * `npm start`: a collector and an agent on one machine, in one terminal. Ships this machine's
 * readable logs from their beginning, shows how it goes, and says what to type next. Ctrl-C ends
 * both; the data stays in `.sluice/`. Exit codes: 0 ended on request, 1 failed, 2 wrong usage.
 */
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { styleText } from "node:util";

import { formatBytes, plural } from "./start/figure-text.mjs";
import { readFigures } from "./start/figures.mjs";
import { introduce } from "./start/introduction.mjs";
import { escapeGlob, findLogFiles } from "./start/log-files.mjs";
import { readOptions, USAGE } from "./start/options.mjs";
import { describePortHolder, tryListening } from "./start/port-holder.mjs";
import { SampleLog } from "./start/sample-log.mjs";
import { Service } from "./start/service.mjs";
import { StateFolder } from "./start/state-folder.mjs";
import { Status } from "./start/status.mjs";

const ROOT = resolve(import.meta.dirname, "..");
/** They tell Node and the C library what memory to take. */
const LAUNCHER = { collector: "sluice", agent: "sluice-agent" };
const SAMPLE_HOST = "sample";
const UPDATE_MS = 1_000;
/** npm, a shell and a process manager may each pass a signal on: within this time it is one. */
const SAME_SIGNAL_MS = 1_000;
const SHOWN_PROBLEMS = 8;

class Problem extends Error {
  constructor(message, exitCode) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Stops on the first request; a later one, sent on purpose, does not wait any longer. */
function stopRequests(onForce) {
  const stop = new AbortController();
  let firstMs;
  const request = () => {
    const nowMs = performance.now();
    if (firstMs === undefined) {
      firstMs = nowMs;
      stop.abort();
    } else if (nowMs - firstMs > SAME_SIGNAL_MS) {
      onForce();
    }
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, request);
  return stop.signal;
}

async function checkPort({ host, port }) {
  const error = await tryListening(host, port);
  if (error === undefined) return;
  if (error.code !== "EADDRINUSE")
    throw new Problem(`cannot listen on ${host}:${port}: ${error.message}`, 1);
  const other = `npm start -- --listen ${host}:${port + 1 > 65_535 ? port - 1 : port + 1}`;
  throw new Problem(
    `port ${port} on ${host} is taken by ${describePortHolder(port)}\n  stop it, or choose another port: ${other}`,
    1,
  );
}

/** What to ship: files that exist, or the sample where there is nothing to read. */
function chooseSource(options, folder, print) {
  const files = findLogFiles(options.logs, options.stateDir);
  printUnreadable(files.unreadable, print);
  if (files.binary.length > 0) {
    print(`  not shipped, because they are not text: ${plural(files.binary.length, "file")}`);
  }
  const filled = files.readable.filter(({ bytes }) => bytes > 0);
  if (filled.length > 0) {
    const bytes = filled.reduce((sum, file) => sum + file.bytes, 0);
    print(
      `  shipping ${plural(filled.length, "log file")}, ${formatBytes(bytes)}, from their beginning`,
    );
    return { ...files, paths: filled.map(({ path }) => path), host: undefined, sample: undefined };
  }
  const sample = new SampleLog(folder.sample);
  const where = options.logs.length === 0 ? "under /var/log" : `at ${options.logs.join(", ")}`;
  print(`  there is no log with lines that this user may read ${where}`);
  print(`  ${styleText("yellow", "shipping a GENERATED SAMPLE instead")}: ${sample.path}`);
  return {
    include: [escapeGlob(sample.path)],
    exclude: [],
    paths: [sample.path],
    host: SAMPLE_HOST,
    sample,
  };
}

function printUnreadable(unreadable, print) {
  if (unreadable.length === 0) return;
  print(`  ${styleText("yellow", `cannot be read: ${plural(unreadable.length, "path")}`)}`);
  for (const { path, advice } of unreadable.slice(0, SHOWN_PROBLEMS))
    print(`    ${path}\n      ${advice}`);
  const more = unreadable.length - SHOWN_PROBLEMS;
  if (more > 0) print(`    and ${more} more`);
}

async function run(options) {
  const services = [];
  const signal = stopRequests(() => services.forEach((service) => service.kill()));
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const status = new Status(process.stdout);
  const print = (text) => status.print(text);
  await checkPort(options);
  const folder = new StateFolder(options.stateDir);
  const address = `${options.host}:${options.port}`;
  print(`${styleText("bold", "sluice")}  collector and agent on this machine, ${address}`);
  const source = chooseSource(options, folder, print);
  folder.write(options, source);
  const knownProblems = new Set(source.unreadable?.map(({ path }) => path));
  const onNote = ({ service, text, fields }) => {
    if (signal.aborted || knownProblems.has(fields.path)) return;
    const place = fields.path ?? fields.source;
    status.print(
      `  ${styleText("yellow", service)}: ${place === undefined ? "" : `${place}: `}${text}`,
    );
    if (fields.advice !== undefined) status.print(`    ${fields.advice}`);
  };
  const start = async (name, args) => {
    const service = new Service(name, [join(ROOT, LAUNCHER[name]), ...args], onNote);
    services.unshift(service); // the agent is ended before the collector
    await service.ready;
    return service;
  };
  const died = () => services.find((service) => service.hasExited);

  try {
    const collector = await start("collector", ["serve", "--config", folder.collectorConfig]);
    if (signal.aborted) return 0;
    if (collector.hasExited) throw new Problem(await collector.exited, 1);
    const token = folder.readQueryToken();
    const read = () => readFigures(`http://${address}`, token);
    const baseline = (await read()) ?? { records: 0, bytes: 0 };
    const startMs = performance.now();
    await start("agent", ["run", "--config", folder.agentConfig]);
    source.sample?.start();
    const ended = Promise.race(services.map((service) => service.exited));

    const introduction = { folder, read, status, baseline, startMs, paths: source.paths };
    await Promise.race([introduce({ ...introduction, signal: until }), ended]);
    while (!signal.aborted && died() === undefined) {
      const figures = await read();
      if (figures && !signal.aborted) status.update(figures);
      await Promise.race([delay(UPDATE_MS, undefined, { signal: until }).catch(() => {}), ended]);
    }
    if (!signal.aborted && died() !== undefined) throw new Problem(await died().exited, 1);
    return 0;
  } finally {
    over.abort();
    source.sample?.stop();
    status.end();
    if (signal.aborted) print("  ending: the agent hands over what is on its way");
    for (const service of services) await service.stop();
    if (signal.aborted) print(`  ended; the data stays in ${folder.data}`);
  }
}

async function main() {
  // Called without the bootstrap, this may run on any Node; the two programs need a newer one.
  if (Promise.withResolvers === undefined) {
    process.stderr.write(`sluice: this is Node ${process.versions.node}; run it as npm start\n`);
    return 2;
  }
  const options = readOptions(process.argv.slice(2));
  if (!options.ok) {
    process.stderr.write(`sluice: ${options.error}\n${USAGE}`);
    return 2;
  }
  if (options.value === "help") {
    process.stdout.write(USAGE);
    return 0;
  }
  try {
    return await run(options.value);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    process.stderr.write(`sluice: ${error.message}\n`);
    return error.exitCode;
  }
}

process.exitCode = await main();

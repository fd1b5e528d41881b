import { type Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { durationMs, type DurationMs, formatDuration, parseDuration } from "@sluice/quantity";
import { createPaint, type Paint, wantsColor } from "@sluice/service";

import { isLoopback } from "../config.ts";
import type { MintedEnrolment } from "../access/access-report.ts";
import { openAccessSource } from "../client/access-source.ts";
import { installLines } from "../install/install-line.ts";
import { print, printJson, SOURCE_FLAGS } from "./admin-options.ts";

const DEFAULT_TTL = durationMs(3_600_000);

/** `sluice enroll` */
export function addEnroll(root: Command): void {
  root
    .command("enroll")
    .description("let hosts join")
    .command("new")
    .description("print the line that installs the agent on a host and enrols it")
    .addOption(
      new Option("--ttl <duration>", "how long the line works (default: 1h)")
        .argParser(parseTtl)
        .default(DEFAULT_TTL, "1h"),
    )
    .addOption(
      new Option("--uses <number>", "on how many hosts (default: 1)")
        .argParser(parseCount)
        .default(1, "1"),
    )
    .option("--host <glob>", "only for hosts of this name: 'web-*'", "*")
    .option("--label <key=value...>", "labels that the host's lines get")
    .option("--url <url>", "where the host reaches the collector (default: public_url)")
    .option(...SOURCE_FLAGS.collector)
    .option(...SOURCE_FLAGS.tokenFile)
    .option(...SOURCE_FLAGS.ca)
    .option(...SOURCE_FLAGS.json)
    .action(async ({ ttl, uses, host, label = [], url, json, ...target }) => {
      const source = await openAccessSource(target, process.env);
      const minted = await source.mintEnrolment({
        ttlMs: ttl,
        uses,
        hosts: host,
        labels: Object.fromEntries(label.map(parseLabel)),
        ...(url !== undefined && { url }),
      });
      const isTerminal = process.stdout.isTTY;
      const hasColor = wantsColor({ flag: undefined, env: process.env, isTerminal });
      await (json
        ? printJson({ ...minted, lines: installLines(minted) })
        : print(formatEnrolment(minted, ttl, createPaint(hasColor))));
    });
}

function formatEnrolment(minted: MintedEnrolment, ttlMs: DurationMs, paint: Paint): string {
  const { uses, hosts, labels, id } = minted;
  const { install, read } = installLines(minted);
  const names = hosts === "*" ? "" : ` named ${hosts}`;
  const given = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const count = uses === 1 ? `one host${names}` : `${uses} hosts${names}`;
  const { protocol, hostname } = new URL(minted.url);
  const isOpen = protocol === "http:" && !isLoopback(hostname.replace(/^\[|\]$/g, ""));
  const warn = (word: string, text: string): string[] => [
    `${paint(["bold", "red"], word)}: ${text}`,
    "",
  ];
  return [
    ...(isOpen
      ? warn("INSECURE", `${minted.url} has no TLS; token and key travel in plain text.`)
      : []),
    ...(minted.builds.length === 0
      ? warn(
          "NO AGENT",
          `the line fails until ${minted.productsDir} (products_dir) on the collector's machine holds a build of the agent:\n  \`pnpm products\` makes them, and the collector's .deb brings those of its own platform.`,
        )
      : []),
    `${paint("bold", "Run this on the host")}, as a user who may use sudo. It works for ${count}, for ${formatDuration(ttlMs)}${given.length === 0 ? "" : `; label ${given.join(", ")}`}:`,
    "",
    install,
    "",
    paint("bold", "To read first what it runs:"),
    "",
    paint("dim", read),
    "",
    ...(minted.builds.length === 0
      ? []
      : [paint("dim", `Hosts can get: ${minted.builds.join(", ")}`), ""]),
    `The line holds a secret until it is used: \`sluice tokens revoke ${id}\` ends it.`,
    "",
  ].join("\n");
}

function parseTtl(text: string): DurationMs {
  const duration = parseDuration(text);
  if (!duration.ok) {
    throw new InvalidArgumentError(`${duration.error}.`);
  }
  if (duration.value < 1_000 || duration.value > 30 * 86_400_000) {
    throw new InvalidArgumentError("expected 1s to 30d.");
  }
  return duration.value;
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) {
    throw new InvalidArgumentError("expected 1 to 9999.");
  }
  return Number(text);
}

function parseLabel(text: string): [string, string] {
  const [, key = "", value = ""] = /^([A-Za-z_][A-Za-z0-9_.-]*)=(.*)$/.exec(text) ?? [];
  if (key === "") {
    throw new InvalidArgumentError(`${text} is not a label: write it as env=prod.`);
  }
  return [key, value];
}

import type { Command } from "@commander-js/extra-typings";
import { wantsColor, createPaint, type Paint } from "@sluice/service";

import { initCollector, type InitReport } from "../init/init.ts";
import { print, printJson } from "./admin-options.ts";

/** `sluice init` */
export function addInit(root: Command): void {
  root
    .command("init")
    .description("set a collector up: certificate, configuration, data folder, admin token")
    .option("--name <name...>", "name or address that hosts reach it by (default: those found)")
    .option("--listen <address>", "address and port (default: 0.0.0.0:7514)")
    .option("--config <file>", "configuration to write (default: /etc/sluice/collector.yaml)")
    .option("--data-dir <dir>", "folder for everything that is collected")
    .option("--public-url <url>", "where hosts reach it, where that is not its first name")
    .option("--products-dir <dir>", "folder of the agent's builds, for hosts to download")
    .option(
      "--user <name>",
      "user that the collector runs as (default: sluice, where there is one)",
    )
    .option("--renew", "make another certificate now", false)
    .option("--json", "print JSON", false)
    .action(async ({ name = [], json, ...options }) => {
      const report = await initCollector({
        config: undefined,
        dataDir: undefined,
        listen: undefined,
        publicUrl: undefined,
        productsDir: undefined,
        user: undefined,
        ...options,
        names: name,
        env: process.env,
      });
      const isTerminal = process.stdout.isTTY;
      const hasColor = wantsColor({ flag: undefined, env: process.env, isTerminal });
      await (json ? printJson(report) : print(formatInit(report, createPaint(hasColor))));
    });
}

function formatInit(report: InitReport, paint: Paint): string {
  const { configFile, configChange, toAdd, dataDir, owner, certificate, adminToken } = report;
  const day = new Date(certificate.expiresMs).toISOString().slice(0, 10);
  const was = (isNew: boolean): string => (isNew ? "" : paint("dim", " (as it was)"));
  const change = { written: "", extended: paint("dim", " (extended)"), kept: was(false) };
  const rows: readonly (readonly [string, string])[] = [
    ["config", `${configFile}${change[configChange]}`],
    ["data", `${dataDir}${owner === undefined ? "" : `, user ${owner}`}`],
    ["certificate", `for ${certificate.names.join(", ")}, until ${day}${was(certificate.isNew)}`],
    ["authority", `${report.caFile}${was(certificate.isAuthorityNew)}`],
    ["", report.fingerprint],
  ];
  const token =
    adminToken === undefined
      ? []
      : [
          "",
          "The admin token, shown this once. It is for commands from other machines; on this one,",
          "root and the collector's user need none:",
          "",
          `  ${paint("bold", adminToken)}`,
        ];
  const add =
    toAdd === undefined
      ? []
      : ["", `${configFile} was there and stays. For TLS, add to it:`, "", toAdd];
  return [
    ...rows.map(([name, value]) => `${name.padEnd(13)}${value}`),
    ...token,
    ...add,
    "",
    "Next:",
    `  sluice service install      ${paint("dim", "start it with the machine; or: sluice serve")}`,
    `  sluice enroll new           ${paint("dim", "print the line that installs the agent on a host")}`,
    "",
  ].join("\n");
}

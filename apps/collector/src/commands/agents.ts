import { type Command, Option } from "@commander-js/extra-typings";
import { EXIT } from "@sluice/service";
import { type DurationMs, formatDuration, formatSize, parseDuration } from "@sluice/quantity";
import { InvalidArgumentError } from "commander";

import type { AgentEntry, StreamEntry } from "../api/agent-list.ts";
import { formatAge, formatCount, formatTable } from "../output/text-table.ts";
import { addAgentActions } from "./agents-access.ts";
import { hasColor, print, printJson, withAdminSource, withSourceOptions } from "./admin-options.ts";

const COLUMNS = [
  { title: "HOST", align: "left" },
  { title: "STATE", align: "left" },
  { title: "SOURCE", align: "left" },
  { title: "LAST EVENT", align: "right" },
  { title: "BEHIND", align: "right" },
  { title: "OLDEST UNACKED", align: "right" },
  { title: "RECORDS", align: "right" },
  { title: "TEXT", align: "right" },
  { title: "FILTERED", align: "right" },
  { title: "GAPS", align: "right" },
] as const;

/** `sluice agents` */
export function addAgents(root: Command): void {
  const command = root
    .command("agents")
    .description("list agents and their sources, or revoke, rename, forget one");
  addAgentActions(command);
  withSourceOptions(
    command
      .command("list", { isDefault: true })
      .description("list agents and their sources: last event, how far behind, gaps")
      .addOption(
        new Option(
          "--silent <duration>",
          "only agents that nothing was received from for so long; exit 1 when there are any",
        ).argParser(parseSilence),
      ),
  ).action((options) =>
    withAdminSource(options, async (source) => {
      const agents = await source.agents(options.silent);
      if (options.json) {
        await printJson(agents);
      } else if (agents.length === 0) {
        await print(
          options.silent === undefined
            ? "No agents yet.\n"
            : `No agent is silent for ${formatDuration(options.silent)}.\n`,
        );
      } else {
        await print(formatAgents(agents, Date.now(), hasColor()));
      }
      if (options.silent !== undefined && agents.length > 0) {
        process.exitCode = EXIT.failed;
      }
    }),
  );
}

/** A row for each host and source, its generations taken together. */
export function formatAgents(
  agents: readonly AgentEntry[],
  nowMs: number,
  isColored: boolean,
): string {
  const rows = agents.flatMap((agent) => {
    const { host, streams } = agent;
    const state = stateOf(agent);
    const sources = [...Map.groupBy(streams, ({ source }) => source)];
    return sources.length === 0
      ? [[host, state, "(nothing yet)"]]
      : sources.map(([source, generations]) => [
          host,
          state,
          source,
          ...formatSource(generations, nowMs),
        ]);
  });
  return formatTable(COLUMNS, rows, isColored);
}

/** What an operator has to act on wins. */
function stateOf({ connected, key, clone }: AgentEntry): string {
  if (key === "revoked") {
    return "revoked";
  }
  const state = connected === null ? "unknown" : connected ? "connected" : "away";
  return clone ? `${state}, cloned` : state;
}

function formatSource(streams: readonly StreamEntry[], nowMs: number): string[] {
  const lastTimes = streams.flatMap(({ lastTime }) =>
    lastTime === null ? [] : [Date.parse(lastTime)],
  );
  const behindBytes = total(streams.map((stream) => stream.behindBytes));
  const unackedMs = streams.flatMap(({ oldestUnackedMs }) => oldestUnackedMs ?? []);
  return [
    lastTimes.length === 0 ? "-" : formatAge(nowMs - Math.max(...lastTimes)),
    behindBytes === undefined ? "?" : formatSize(behindBytes),
    unackedMs.length === 0 ? "?" : formatDuration(Math.max(...unackedMs)),
    formatCount(total(streams.map(({ records }) => records)) ?? 0),
    formatSize(total(streams.map(({ bytes }) => bytes)) ?? 0),
    formatCount(total(streams.map(({ filteredRecords }) => filteredRecords)) ?? 0),
    formatCount(total(streams.map(({ gaps }) => gaps)) ?? 0),
  ];
}

/** Of what is known; undefined where nothing is. */
function total(amounts: readonly (number | null)[]): number | undefined {
  const known = amounts.filter((amount) => amount !== null);
  return known.length === 0 ? undefined : known.reduce((sum, amount) => sum + amount, 0);
}

function parseSilence(text: string): DurationMs {
  const duration = parseDuration(text);
  if (!duration.ok) {
    throw new InvalidArgumentError(`${duration.error}.`);
  }
  return duration.value;
}

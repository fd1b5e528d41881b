import type { Command } from "@commander-js/extra-typings";

import { reportChange, withAccessOptions } from "./access-options.ts";

const AGENT = ["<agent>", "its host's name, its id, or eight digits that begin it"] as const;

/** What `sluice agents` does about one of them. */
export function addAgentActions(agents: Command): void {
  withAccessOptions(
    agents
      .command("revoke")
      .description("end an agent's key now, and its connection; what it has sent stays")
      .argument(...AGENT),
  ).action((agent, options) =>
    reportChange(
      options,
      (source) => source.changeAgent("revoke", agent),
      ({ name, id }) =>
        `Revoked ${name} (${id}): it is not let in again until it is forgotten and enrolled anew.`,
    ),
  );

  withAccessOptions(
    agents
      .command("rename")
      .description("store an agent's lines under another host name from now on")
      .argument(...AGENT)
      .argument("<host>", "the new name"),
  ).action((agent, host, options) =>
    reportChange(
      options,
      (source) => source.renameAgent(agent, host),
      ({ name, id }) => `Renamed ${id} to ${name}; lines that are stored keep their host.`,
    ),
  );

  withAccessOptions(
    agents
      .command("forget")
      .description("remove an agent's key and its place in the list; what it has sent stays")
      .argument(...AGENT),
  ).action((agent, options) =>
    reportChange(
      options,
      (source) => source.changeAgent("forget", agent),
      ({ name, id }) => `Forgot ${name} (${id}): it may be enrolled again.`,
    ),
  );

  withAccessOptions(
    agents
      .command("rotate")
      .description("have an agent replace its key; the old one goes on until the new one is in use")
      .argument(...AGENT),
  ).action((agent, options) =>
    reportChange(
      options,
      (source) => source.changeAgent("rotate", agent),
      ({ name, id }) => `${name} (${id}) replaces its key now, or when it connects next.`,
    ),
  );
}

import { EXIT, Failure, formatJson, wantsColor } from "@sluice/service";

import { askStatus } from "./status-socket.ts";
import { formatStatus } from "./status-text.ts";

/** `sluice-agent status`: what the running agent says of itself. */
export async function reportStatus(stateDir: string, isJson: boolean): Promise<void> {
  const status = await askStatus(stateDir);
  if (status === undefined) {
    throw new Failure(
      `no agent is running on ${stateDir}`,
      "start it (systemctl start sluice-agent, or sluice-agent run), or name the state folder of the one that runs with --state-dir",
      EXIT.failed,
    );
  }
  const hasColor = wantsColor({
    flag: undefined,
    env: process.env,
    isTerminal: process.stdout.isTTY,
  });
  process.stdout.write(
    isJson ? formatJson(status, process.stdout.isTTY) : formatStatus(status, hasColor, Date.now()),
  );
}

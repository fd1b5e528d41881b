import { setTimeout as delay } from "node:timers/promises";

import type { ChaosProxy } from "../chaos/chaos-proxy.ts";
import type { Prng } from "../corpus/prng.ts";
import type { Exit, ServiceProcess } from "../process.ts";

/**
 * When a process is killed:
 * - `ack-passed`: the ack of a large message has just been passed on. What it promises must be on
 *   the disk.
 * - `ack-lost`: an ack was taken out of the line. What it covers must not be stored again.
 * - `message`: a message of frames is arriving.
 * - `any`: after a random time.
 */
export type Moment = "ack-passed" | "ack-lost" | "message" | "any";

/** A message whose commit takes a while. */
const LARGE_MESSAGE_BYTES = 64 * 1024;

/** From a message's arrival to the end of its commit, about. */
const COMMIT_MS = 20;

const ANY_MS = 600;

/** Waits for the moment, kills the victim in it, and resolves when it is gone. */
export async function killAt(
  moment: Moment,
  victim: ServiceProcess,
  proxy: ChaosProxy,
  random: Prng,
): Promise<Exit> {
  switch (moment) {
    case "ack-passed":
      await proxy.trap({
        from: "collector",
        matches: (_, control, link) =>
          control?.type === "ack" && link.unackedBytes >= LARGE_MESSAGE_BYTES,
        spring: () => {
          victim.signal("SIGKILL");
          return true;
        },
      });
      return victim.exited;
    case "ack-lost":
      await proxy.trap({
        from: "collector",
        matches: (_, control) => control?.type === "ack",
        spring: (link) => {
          victim.signal("SIGKILL");
          link.reset();
          return false;
        },
      });
      return victim.exited;
    case "message":
      await proxy.trap({
        from: "agent",
        matches: ({ kind }) => kind === "binary",
        spring: () => true,
      });
      await delay(random.below(COMMIT_MS));
      return victim.kill();
    case "any":
      await delay(random.below(ANY_MS));
      return victim.kill();
    default:
      return moment satisfies never;
  }
}

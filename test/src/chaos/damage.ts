import { setTimeout as delay } from "node:timers/promises";

import type { Prng } from "../corpus/prng.ts";
import type { ChaosLink } from "./chaos-link.ts";
import type { ChaosProxy } from "./chaos-proxy.ts";
import type { WireFrame } from "./wire-frame.ts";

export interface DamageOrder {
  readonly random: Prng;
  /** Smaller messages are let through: a whole batch is to be hit. */
  readonly minBytes: number;
  /** The damaged message is held back until this many of that size are behind it. */
  readonly behind: number;
  /** Held no longer than this. */
  readonly holdMs: number;
}

export interface Damage {
  /** Messages that were right behind the damaged one. */
  readonly behind: number;
  /** Streams that could be open on the connection when the damaged message arrived. */
  readonly openStreams: number;
}

/**
 * Flips one bit in the next large message from an agent and delivers it together with the messages
 * behind it, so that they arrive before the agent can have learnt of the damage. Resolves when the
 * collector has told the agent to begin again, or has closed the connection: the damage may be to
 * what says how long a frame is.
 */
export async function damageMessage(proxy: ChaosProxy, order: DamageOrder): Promise<Damage> {
  const { random, minBytes } = order;
  let victim: WireFrame | undefined;
  let openStreams = 0;
  const isLarge = (frame: WireFrame): boolean =>
    frame.kind === "binary" && frame.bytes.length >= minBytes;
  const link = await proxy.trap({
    from: "agent",
    matches: isLarge,
    spring: (hit, frame) => {
      victim = frame;
      openStreams = hit.openings;
      hit.up.hold();
      return true;
    },
  });
  const behind = await gather(proxy, link, order);
  const noticed = proxy.trap({
    from: "collector",
    matches: (_, control, of) => control?.type === "reset" && of === link,
    spring: () => true,
  });
  if (victim !== undefined) {
    const at = victim.payloadAt + random.below(victim.bytes.length - victim.payloadAt);
    victim.bytes.writeUInt8((victim.bytes[at] ?? 0) ^ (1 << random.below(8)), at);
  }
  link.up.release();
  await Promise.race([noticed, link.closed]);
  return { behind, openStreams };
}

/** Waits for messages behind the held one; gives how many came in time. */
async function gather(proxy: ChaosProxy, link: ChaosLink, order: DamageOrder): Promise<number> {
  let behind = 0;
  const timeUp = delay(order.holdMs);
  while (behind < order.behind) {
    const next = proxy
      .trap({
        from: "agent",
        matches: (frame, _, of) =>
          frame.kind === "binary" && frame.bytes.length >= order.minBytes && of === link,
        spring: () => true,
      })
      .then(() => true);
    const came = await Promise.race([next, timeUp.then(() => false)]);
    if (!came) return behind;
    behind += 1;
  }
  return behind;
}

import { spawnSync } from "node:child_process";

/** Why networks of their own cannot be made here. */
export const NO_NETWORKS = "needs root and network namespaces (ip netns)";

/** A host in a network namespace of its own, on one bridge with the others. */
export interface NetworkHost {
  readonly name: string;
  readonly address: string;
  /** What to put before a command so that it runs there. */
  readonly wrapper: readonly string[];
}

/** Hosts that reach each other and nothing else. Disposal removes them. */
export class Network implements Disposable {
  readonly #tag = `slc${process.pid % 100_000}`;
  readonly #hosts: NetworkHost[] = [];

  private constructor() {
    const bridge = this.#tag;
    ip("netns", "add", `${bridge}-sw`);
    ip("-n", `${bridge}-sw`, "link", "add", "br0", "type", "bridge");
    ip("-n", `${bridge}-sw`, "link", "set", "br0", "up");
  }

  /** Undefined where this user or this kernel makes no networks. */
  static make(): Network | undefined {
    const probe = `slcprobe${process.pid}`;
    if (spawnSync("ip", ["netns", "add", probe]).status !== 0) {
      return undefined;
    }
    const dummy = spawnSync("ip", ["-n", probe, "link", "add", "v0", "type", "veth"]);
    spawnSync("ip", ["netns", "del", probe]);
    return dummy.status === 0 ? new Network() : undefined;
  }

  /** Adds a host: 10.99.0.1, 10.99.0.2, ... */
  host(): NetworkHost {
    const index = this.#hosts.length + 1;
    const name = `${this.#tag}-${index}`;
    const address = `10.99.0.${index}`;
    const bridge = `${this.#tag}-sw`;
    ip("netns", "add", name);
    ip("-n", name, "link", "set", "lo", "up");
    ip("-n", name, "link", "add", "eth0", "type", "veth", "peer", "name", `p${index}`);
    ip("-n", name, "link", "set", `p${index}`, "netns", bridge);
    ip("-n", bridge, "link", "set", `p${index}`, "master", "br0", "up");
    ip("-n", name, "addr", "add", `${address}/24`, "dev", "eth0");
    ip("-n", name, "link", "set", "eth0", "up");
    const host = { name, address, wrapper: ["ip", "netns", "exec", name] };
    this.#hosts.push(host);
    return host;
  }

  /** From now on another host has this address: what a spoofed ARP answer or DNS record brings about. */
  takeOver(address: string, from: NetworkHost, by: NetworkHost): void {
    ip("-n", from.name, "addr", "del", `${address}/24`, "dev", "eth0");
    ip("-n", by.name, "addr", "add", `${address}/24`, "dev", "eth0");
    for (const { name } of this.#hosts) {
      ip("-n", name, "neigh", "flush", "all");
    }
  }

  [Symbol.dispose](): void {
    for (const { name } of this.#hosts) {
      spawnSync("ip", ["netns", "del", name]);
    }
    spawnSync("ip", ["netns", "del", `${this.#tag}-sw`]);
  }
}

function ip(...args: readonly string[]): void {
  const { status, stderr } = spawnSync("ip", [...args], { encoding: "utf8" });
  if (status !== 0) {
    throw new Error(`ip ${args.join(" ")}: ${stderr}`);
  }
}

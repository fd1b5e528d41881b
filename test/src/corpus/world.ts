import type { Clock } from "./clock.ts";
import type { Prng } from "./prng.ts";

/** Pools of what lines speak of: each has few members that are seen often and many seen rarely. */
export type PoolName =
  | "ip"
  | "lan"
  | "user"
  | "container"
  | "fingerprint"
  | "unit"
  | "host"
  | "path"
  | "agent"
  | "trace";

const USERS =
  "root deploy admin postgres backup ubuntu git www-data jenkins oracle test nagios anna ben mkeller ftpuser guest hadoop minecraft pi".split(
    " ",
  );
const UNITS =
  "sysstat-collect apt-daily logrotate fwupd-refresh phpsessionclean man-db motd-news certbot dpkg-db-backup fstrim e2scrub_all anacron user-runtime-dir@1000 snapd.refresh packagekit".split(
    " ",
  );
const HOSTS = "web-1 web-2 db-1 app-1 app-2 cache-1".split(" ");
const AREAS =
  "api/v1/orders api/v1/users api/v2/search static/js static/css assets/img cart login health admin".split(
    " ",
  );
const AGENTS = [
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
  "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
  "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
  "kube-probe/1.33",
  "curl/8.14.1",
];

/** How often a line speaks of what the line before it that named such a thing spoke of. */
const KEEP = 0.8;

/** One pool, and which of its members the log is about just now. */
interface Pool {
  readonly members: readonly Buffer[];
  current: Buffer;
  line: number;
}

/** The machines, clients and names that one seed's lines are about. */
export class World {
  readonly clock: Clock;
  readonly #pools: Readonly<Record<PoolName, Pool>>;
  readonly #bootUs: number;
  #counter: number;
  #line = 0;
  #port = 32_768;
  #portLine = 0;

  constructor(prng: Prng, clock: Clock) {
    this.clock = clock;
    this.#bootUs = clock.timeUs - (1_000_000 + prng.below(3_000_000)) * 1_000_000;
    this.#counter = 1000 + prng.below(900_000);
    const octet = (): number => 1 + prng.below(254);
    const hex = (length: number): string =>
      Array.from({ length }, () => prng.below(16).toString(16)).join("");
    this.#pools = {
      ip: pool(600, () => `${octet()}.${octet()}.${octet()}.${octet()}`),
      lan: pool(60, () => `10.${prng.below(4)}.${prng.below(16)}.${octet()}`),
      user: pool(USERS.length, (i) => USERS[i] ?? ""),
      container: pool(40, () => hex(64)),
      fingerprint: pool(24, () => Buffer.from(hex(64), "hex").toString("base64").slice(0, 43)),
      unit: pool(UNITS.length, (i) => UNITS[i] ?? ""),
      host: pool(HOSTS.length, (i) => HOSTS[i] ?? ""),
      path: pool(300, (i) => `/${AREAS[i % AREAS.length] ?? ""}/${prng.below(100_000)}`),
      agent: pool(AGENTS.length, (i) => AGENTS[i] ?? ""),
      trace: pool(2000, () => hex(32)),
    };
  }

  /** Starts the next line. */
  nextLine(): void {
    this.#line += 1;
  }

  /**
   * A member of a pool, the first ones far more often than the last. One line always gets the same,
   * and often the next line too: a session, a client, a container leaves several lines.
   */
  draw(name: PoolName, prng: Prng): Buffer {
    const drawn = this.#pools[name];
    if (drawn.line !== this.#line) {
      drawn.line = this.#line;
      if (prng.fraction() >= KEEP) {
        drawn.current = drawn.members[prng.skewed(drawn.members.length)] ?? drawn.current;
      }
    }
    return drawn.current;
  }

  /** An ephemeral port, kept from line to line as the members of pools are. */
  port(prng: Prng): number {
    if (this.#portLine !== this.#line) {
      this.#portLine = this.#line;
      if (prng.fraction() >= KEEP) this.#port = 32_768 + prng.below(28_232);
    }
    return this.#port;
  }

  /** The next of an ever growing number: job ids, sequence numbers. */
  count(prng: Prng): number {
    this.#counter += 1 + prng.skewed(4);
    return this.#counter;
  }

  /** Microseconds since the machine was started. */
  get uptimeUs(): number {
    return this.clock.timeUs - this.#bootUs;
  }
}

function pool(size: number, member: (index: number) => string): Pool {
  const members = Array.from({ length: size }, (_, index) => Buffer.from(member(index), "latin1"));
  return { members, current: members[0] ?? Buffer.alloc(0), line: 0 };
}

import type { LineSource, Scene } from "./line-source.ts";
import { SEVERITY, weighted } from "./line-source.ts";
import type { LineWriter } from "./line-writer.ts";
import type { Prng } from "./prng.ts";
import { PROGRAMS } from "./syslog-messages.ts";
import type { Part } from "./template.ts";
import { compile } from "./template.ts";

// Logs repeat themselves. These, with World's, are set so that the lines compress as a real server's
// do: zstd -3 to about a tenth.
/** Mean lines of one session's process. */
const LINES_PER_SESSION = 8;
/** How often a program also writes the next line. */
const SAME_PROGRAM = 0.65;
/** How often a program says the same as the last time, of something else or of the same. */
const SAME_MESSAGE = 0.5;

interface Message {
  readonly write: Part;
  readonly severity: number;
}

class Process {
  readonly weight: number;
  readonly name: Buffer;
  readonly #messages: readonly Message[];
  readonly #kind: "daemon" | "session" | "none";
  #message: Message;
  #pid: number;

  constructor(program: (typeof PROGRAMS)[number], prng: Prng) {
    this.weight = program.weight;
    this.name = Buffer.from(` ${program.name}`, "latin1");
    const [first, ...others] = program.messages.map(toMessage);
    if (first === undefined) throw new Error(`${program.name} has no messages`);
    this.#messages = [first, ...others];
    this.#message = first;
    this.#kind = program.process;
    this.#pid = program.name === "systemd" ? 1 : 300 + prng.below(4000);
  }

  /** The pid to write, or undefined where the program writes none. */
  pid(prng: Prng): number | undefined {
    if (this.#kind === "none") return undefined;
    if (this.#kind === "session" && prng.below(LINES_PER_SESSION) === 0) {
      this.#pid = 300 + ((this.#pid + prng.skewed(40)) % 4_000_000);
    }
    return this.#pid;
  }

  message(prng: Prng): Message {
    if (prng.fraction() >= SAME_MESSAGE) {
      this.#message = this.#messages[prng.skewed(this.#messages.length)] ?? this.#message;
    }
    return this.#message;
  }
}

/** rsyslog's default form names no level; what there is of one is a word of the message. */
function toMessage(text: string): Message {
  const isError = /\b(err|error|fatal|crit|critical)\b/i.test(text);
  const isWarning = /\bwarn(ing)?\b/i.test(text);
  return {
    write: compile(text),
    severity: isError ? SEVERITY.error : isWarning ? SEVERITY.warn : SEVERITY.none,
  };
}

const ZONE = Buffer.from("+00:00 ", "latin1");

/** Writes `2026-11-22T08:00:01.123456+00:00 `, which begins every line. */
export function writeSyslogTime({ clock }: Scene, line: LineWriter): void {
  clock.write(line, "rfc3339");
  line.byte(0x2e);
  clock.writeFraction(line, 6);
  line.text(ZONE);
}

/** Lines as rsyslog writes them by default since 8.2210: `2026-11-22T08:00:01.123456+00:00 host program[pid]: message`. */
export function syslogLines(scene: Scene): LineSource {
  const { prng, clock, world } = scene;
  const choose = weighted(PROGRAMS.map((program) => new Process(program, prng)));
  const host = world.draw("host", prng);
  const opening = Buffer.from("]: ", "latin1");
  const colon = Buffer.from(": ", "latin1");
  let process = choose(prng);
  return (line) => {
    clock.advance();
    world.nextLine();
    writeSyslogTime(scene, line);
    line.text(host);
    if (prng.fraction() >= SAME_PROGRAM) process = choose(prng);
    line.text(process.name);
    const pid = process.pid(prng);
    if (pid === undefined) {
      line.text(colon);
    } else {
      line.byte(0x5b);
      line.integer(pid);
      line.text(opening);
    }
    const message = process.message(prng);
    message.write(line, prng, world);
    line.byte(0x0a);
    return message.severity;
  };
}

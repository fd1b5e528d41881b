import type { Kind } from "./generate.ts";
import { writeJavaTime } from "./java.ts";
import type { LineSource, Scene } from "./line-source.ts";
import { SEVERITY } from "./line-source.ts";
import type { LineWriter } from "./line-writer.ts";
import { writeSyslogTime } from "./syslog.ts";
import type { Part } from "./template.ts";
import { compile } from "./template.ts";
import { writeJsonTime } from "./web-lines.ts";

/** One event of this many is a transfer: high-cardinality ids are a fact of real logs. */
const EVENTS_PER_TRANSFER = 50;
/** One transfer of this many does not settle. */
const TRANSFERS_PER_FAILURE = 100;

/**
 * Numbers of 9 or 10 digits, spread so that neighbours have nothing in common. The factor is coprime
 * to their count, and small enough that a log of 5 GB stays within safe integers.
 */
const NUMBERS_FROM = 100_000_000;
const NUMBERS = 9_900_000_000;
const SPREAD = 161_803_399;
/** Streams of one corpus at most: their transfers' numbers are interleaved. */
const STREAMS = 64;

/** What a transfer's line of each kind says behind its time. */
const SAYINGS: Readonly<Record<Kind, string>> = {
  syslog:
    "{host} payments[{skew:4000}]: transfer {transfer} {outcome} ref={ref} after {skew:900} ms",
  nginx:
    '] "POST /api/v1/transfers/{transfer}/{outcome}?ref={ref} HTTP/1.1" 200 {skew:900} "-" "{agent}"',
  json: 'Z","level":"info","service":"payments","msg":"transfer {outcome}","transfer":{transfer},"ref":"{ref}","durationMs":{skew:900}.{frac:2}}',
  java: "INFO  [http-nio-8080-exec-{skew:40}] c.e.shop.Payments - transfer {transfer} {outcome} ref={ref} in {skew:900}ms",
  mix: "{host} payments: transfer {transfer} {outcome} ref={ref}",
};

/** How a transfer ends; every outcome but the first is rare. */
const OUTCOMES = ["settled", "declined", "reversed", "disputed"] as const;

/** The ids of one transfer: each occurs in one line of the corpus, as a whole word. */
export interface Transfer {
  /** 16 hexadecimal digits. */
  readonly ref: string;
  /** 9 or 10 decimal digits. */
  readonly number: number;
  readonly hasSettled: boolean;
}

/**
 * A log that writes a transfer now and then instead of its next event. `stream` (0-63) makes the
 * numbers of one corpus's logs differ; `written` is told of each.
 */
export function withTransfers(
  next: LineSource,
  scene: Scene,
  { kind, stream }: { readonly kind: Kind; readonly stream: number },
  written: (transfer: Transfer) => void,
): LineSource {
  const { prng, clock, world } = scene;
  const write = sayingOf(kind, scene);
  const ids = new TransferIds(stream);
  return (line) => {
    if (prng.below(EVENTS_PER_TRANSFER) !== 0) return next(line);
    clock.advance();
    world.nextLine();
    ids.advance(prng.uint32(), prng.uint32(), prng.uint32());
    write(line, ids);
    line.byte(0x0a);
    written(ids.transfer);
    return kind === "json" || kind === "java" ? SEVERITY.info : SEVERITY.none;
  };
}

class TransferIds {
  readonly #stream: number;
  #count = 0;
  #ref: readonly [number, number] = [0, 0];
  #outcome = 0;
  number = 0;

  constructor(stream: number) {
    if (!(stream >= 0 && stream < STREAMS)) throw new RangeError(`no stream ${stream}`);
    this.#stream = stream;
  }

  /** Moves to the next transfer, out of three random numbers of 32 bits. */
  advance(high: number, low: number, fate: number): void {
    const place = this.#count * STREAMS + this.#stream;
    // Coprime: every place has a number of its own until they have all been used.
    this.number = NUMBERS_FROM + ((place * SPREAD) % NUMBERS);
    this.#count += 1;
    this.#ref = [high, low];
    this.#outcome = fate % TRANSFERS_PER_FAILURE === 0 ? 1 + ((fate >>> 8) % 3) : 0;
  }

  get transfer(): Transfer {
    const ref = this.#ref.map((half) => half.toString(16).padStart(8, "0")).join("");
    return { ref, number: this.number, hasSettled: this.#outcome === 0 };
  }

  write(line: LineWriter, field: string): void {
    switch (field) {
      case "{transfer}":
        line.integer(this.number);
        return;
      case "{ref}":
        line.hex(this.#ref[0], 8);
        line.hex(this.#ref[1], 8);
        return;
      default:
        line.text(OUTCOME_BYTES[this.#outcome] ?? Buffer.alloc(0));
    }
  }
}

const OUTCOME_BYTES = OUTCOMES.map((outcome) => Buffer.from(outcome, "latin1"));

function sayingOf(kind: Kind, scene: Scene): (line: LineWriter, ids: TransferIds) => void {
  const { prng, world } = scene;
  const parts = SAYINGS[kind]
    .split(/(\{transfer\}|\{outcome\}|\{ref\})/)
    .map((text, i) => (i % 2 === 1 ? text : compile(text)));
  const writeTime = timeOf(kind, scene);
  return (line, ids) => {
    writeTime(line);
    for (const part of parts) {
      if (typeof part === "string") ids.write(line, part);
      else part(line, prng, world);
    }
  };
}

function timeOf(kind: Kind, scene: Scene): (line: LineWriter) => void {
  const client: Part = compile("{lan} - - [");
  switch (kind) {
    case "mix":
    case "syslog":
      return (line) => writeSyslogTime(scene, line);
    case "nginx":
      return (line) => {
        client(line, scene.prng, scene.world);
        scene.clock.write(line, "commonLog");
      };
    case "json":
      return (line) => writeJsonTime(scene, line);
    case "java":
      return (line) => writeJavaTime(scene, line);
    default:
      return kind satisfies never;
  }
}

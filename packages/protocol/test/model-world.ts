import assert from "node:assert/strict";
import { ModelAgent, type ModelFile } from "./model-agent.ts";
import { type AgentSent, type Link, ModelCollector } from "./model-collector.ts";
import { checkStored, type Compare, compareAll, ModelStore, type Standing } from "./model-store.ts";
import type { Mishap, Step } from "./model-steps.ts";

/** What the protocol asks of its parts; each can be broken to see whether the model notices. */
export interface Rules {
  readonly compare: Compare;
  readonly acksAfterCommit: boolean;
  /** A sealed frame is placed under the rewind that it was read after, not the current one. */
  readonly placeTellsRewinds: boolean;
}

export const RULES: Rules = { compare: compareAll, acksAfterCommit: true, placeTellsRewinds: true };

/** Frames that one message may hold in the model. */
const MOST_FRAMES = 4;
const CREDIT_BYTES = 200;

/** A greeting takes two exchanges. */
const IDLE_ROUNDS = 4;

/** An agent, a collector, and a network between them that is as bad as the steps make it. */
export class ModelWorld {
  readonly files: ModelFile[];
  readonly store: ModelStore;
  readonly agent: ModelAgent;
  readonly collector: ModelCollector;
  /** Newest last; those before it may still hold messages for the collector. */
  readonly #links: Link[] = [];
  #mishap: Mishap | undefined;
  /** file -> failures that may cost it a reset */
  readonly #failures: number[];
  /** file -> what was checked last */
  readonly #checked: Array<Standing | undefined> = [];

  constructor(files: number, rules: Rules) {
    this.files = Array.from({ length: files }, (_, i) => ({ name: `file-${i}`, lines: [] }));
    this.#failures = this.files.map(() => 0);
    this.store = new ModelStore(rules);
    this.agent = new ModelAgent(this.files, rules);
    this.collector = new ModelCollector(this.store, CREDIT_BYTES);
  }

  run(steps: readonly Step[]): void {
    for (const step of steps) {
      this.#take(step);
      this.#check();
    }
  }

  /**
   * A network without faults, and a commit after each message: all that was written gets stored.
   *
   * @returns how often the agent had to give a connection up because an ack did not come
   */
  heal(): number {
    this.collector.grant(CREDIT_BYTES);
    let idleRounds = 0;
    let givenUp = 0;
    for (let round = 0; round < 1000; round++) {
      const before = this.#progress();
      this.#take({ do: "connect" });
      this.#exchange();
      const read = this.files.filter((_, file) => this.agent.read(file, "batch", [2, 1, 3]));
      this.#check();
      if (this.#isDone()) {
        return givenUp;
      }
      idleRounds = this.#progress() === before && read.length === 0 ? idleRounds + 1 : 0;
      if (idleRounds > IDLE_ROUNDS) {
        idleRounds = 0;
        if (this.agent.hasStopped) {
          this.agent.crash();
        } else {
          this.agent.disconnect();
          givenUp += 1;
        }
      }
    }
    return assert.fail(`not all was stored: ${this.#progress()}`);
  }

  #exchange(): void {
    const link = this.agent.link;
    this.agent.send(MOST_FRAMES);
    this.collector.fence(link?.id);
    for (const sent of link?.toCollector.splice(0) ?? []) {
      this.collector.receive(link as Link, sent);
    }
    this.collector.commit(true);
    for (const message of link?.toAgent.splice(0) ?? []) {
      this.agent.receive(message);
    }
    this.agent.syncCheckpoints();
  }

  #isDone(): boolean {
    return (
      this.agent.session.isQuiet &&
      !this.agent.hasSealed &&
      this.files.every(
        ({ name, lines }, i) =>
          (this.store.streams.get(name)?.line ?? 0) === lines.length &&
          (this.agent.checkpoints[i] ?? 0) === lines.length,
      )
    );
  }

  #progress(): string {
    const stored = this.files.map(({ name }) => this.store.streams.get(name)?.line ?? -1);
    return `${stored.join()} of ${this.files.map(({ lines }) => lines.length).join()}, acked ${this.agent.checkpoints.join()}`;
  }

  #take(step: Step): void {
    switch (step.do) {
      case "write":
        this.files[step.file % this.files.length]?.lines.push(...step.lines);
        return;
      case "read":
        this.agent.read(step.file % this.files.length, step.kind, step.linesOfRecords);
        return;
      case "send":
        this.agent.send(step.most);
        return;
      case "to-collector": {
        const link = this.#links.at(-1 - step.age);
        for (const sent of link?.toCollector.splice(0, step.most) ?? []) {
          this.#spoil(sent);
          this.collector.receive(link as Link, sent);
        }
        return;
      }
      case "to-agent":
        for (const message of this.agent.link?.toAgent.splice(0, step.most) ?? []) {
          this.agent.receive(message);
        }
        return;
      case "commit":
        this.collector.commit(true);
        return;
      case "connect":
        if (this.agent.link === undefined) {
          this.#connect();
        }
        return;
      case "drop":
        this.agent.disconnect();
        return;
      case "fence":
        this.collector.fence(this.#links.at(-1)?.id);
        return;
      case "sync-checkpoints":
        this.agent.syncCheckpoints();
        return;
      case "crash-agent":
        this.agent.crash();
        return;
      case "crash-collector":
        if (step.commits) {
          this.collector.commit(false);
        }
        this.#crashCollector();
        return;
      case "back-up":
        this.store.backUp();
        return;
      case "restore":
        this.#crashCollector();
        this.store.restore();
        return;
      case "credit":
        this.collector.grant(step.bytes);
        return;
      case "damage":
      case "shed":
      case "lose":
      case "poison":
      case "skew":
        this.#mishap = step.do;
        return;
      default:
        step satisfies never;
    }
  }

  #connect(): void {
    const link: Link = { id: this.#links.length + 1, toCollector: [], toAgent: [] };
    this.#links.push(link);
    this.collector.accept(link);
    this.agent.connect(link);
  }

  #crashCollector(): void {
    this.collector.crash();
    this.agent.disconnect();
  }

  #spoil(message: AgentSent): void {
    const how = this.#mishap;
    const first = message.kind === "frames" ? message.frames[0] : undefined;
    if (how === undefined || message.kind !== "frames" || first === undefined) {
      return;
    }
    this.#mishap = undefined;
    // A damaged message names no stream that could be trusted: it concerns all of them.
    for (const file of this.files.keys()) {
      this.#failures[file] = (this.#failures[file] ?? 0) + 1;
    }
    switch (how) {
      case "damage":
        message.isDamaged = true;
        return;
      case "shed":
        message.isShed = true;
        return;
      case "lose":
        message.isLost = true;
        return;
      case "poison":
        message.frames = message.frames.with(0, { ...first, isPoison: true });
        return;
      case "skew":
        message.frames = message.frames.with(0, { ...first, firstSeq: first.firstSeq + 1 });
        return;
      default:
        how satisfies never;
    }
  }

  /** What holds after every step. */
  #check(): void {
    for (const [file, { name, lines }] of this.files.entries()) {
      const stored = this.store.streams.get(name);
      if (stored !== this.#checked[file]) {
        checkStored(name, stored, lines.length);
        this.#checked[file] = stored;
      }
      assert.ok(
        (this.agent.checkpoints[file] ?? 0) <= this.store.highWater(name),
        "the checkpoint is ahead of what was committed",
      );
      assert.ok(
        this.store.resets(name) <= (this.#failures[file] ?? 0),
        "there are more resets than failures",
      );
    }
  }
}

import { Failure } from "@sluice/service";
import {
  Beat,
  DEFAULT_TIMING,
  type OwnFiles,
  splitFileState,
  type StreamChange,
} from "@sluice/tail";

import type { AgentEvent } from "./agent-event.ts";
import type { SourceSettings } from "./agent-settings.ts";
import type { Checkpoints } from "./checkpoints.ts";
import { type ConfiguredSource, createSource, readingOf, sourceId } from "./configured-source.ts";

export interface SourceSetParts {
  readonly checkpoints: Checkpoints;
  readonly statePath: string;
  readonly emit: (event: AgentEvent) => void;
  /** What the agent writes itself. */
  readonly own: OwnFiles;
  /** A stream appeared or ended. */
  readonly changed: (owner: ConfiguredSource, change: StreamChange) => void;
}

/** The sources that are configured, from their start to their disposal. */
export class SourceSet implements AsyncDisposable {
  readonly #parts: SourceSetParts;
  readonly #abort = new AbortController();
  readonly #beat = new Beat(DEFAULT_TIMING.pollMs);
  #sources: readonly ConfiguredSource[];
  #isStarted = false;

  /** @throws Failure where the state of a source is not one that it made */
  constructor(settings: readonly SourceSettings[], parts: SourceSetParts) {
    this.#parts = parts;
    this.#sources = this.#createAll(settings);
  }

  /** The first look at each; what there is to read is told before this resolves. */
  async start(): Promise<void> {
    this.#isStarted = true;
    for (const owner of this.#sources) {
      await this.#startOne(owner);
    }
  }

  /** Whose a stream of this name is; undefined where no source is configured for it any more. */
  owner(name: string): ConfiguredSource | undefined {
    return this.#sources.find(({ source }) => source.covers(name));
  }

  /**
   * Takes up another configuration. What is read as before keeps its source, with the descriptors
   * that it holds, and gets its new settings. The others are removed, their state kept; what is new
   * is created and started.
   *
   * @param remove called for each that is not configured any more, before it is disposed
   */
  async reconfigure(
    settings: readonly SourceSettings[],
    remove: (owner: ConfiguredSource) => Promise<void>,
  ): Promise<void> {
    const before = [...this.#sources];
    const kept = settings.map((each) => {
      const at = before.findIndex((owner) => readingOf(owner.settings) === readingOf(each));
      const [owner] = at === -1 ? [] : before.splice(at, 1);
      if (owner !== undefined) {
        owner.settings = each;
      }
      return owner;
    });
    this.#sources = kept.filter((owner) => owner !== undefined);
    for (const owner of before) {
      await remove(owner);
      await owner.source[Symbol.asyncDispose]();
      this.#parts.checkpoints.detach(owner.id);
    }
    const added = this.#createAll(settings.filter((_, i) => kept[i] === undefined));
    this.#sources = [...this.#sources, ...added];
    for (const owner of this.#isStarted ? added : []) {
      await this.#startOne(owner);
    }
  }

  /** Resolves when each has looked at its logs once more; one that failed to has said so by an event. */
  async look(): Promise<void> {
    await Promise.allSettled(this.#sources.map(async ({ source }) => source.rescan()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort(new Error("the agent stops"));
    await Promise.all(this.#sources.map(({ source }) => source[Symbol.asyncDispose]()));
  }

  async #startOne(owner: ConfiguredSource): Promise<void> {
    void this.#follow(owner);
    await owner.source.start();
  }

  #createAll(settings: readonly SourceSettings[]): ConfiguredSource[] {
    const configured = new Set(settings.map(sourceId));
    return settings.map((each) => this.#create(each, configured));
  }

  #create(settings: SourceSettings, configured: ReadonlySet<string>): ConfiguredSource {
    const { checkpoints, statePath, emit } = this.#parts;
    const id = sourceId(settings);
    const created = createSource(settings, {
      state: checkpoints.source(id),
      own: this.#parts.own,
      beat: this.#beat,
      inherited: this.#inherit(settings, configured),
      onEvent: (event) => emit({ kind: "tail", event }),
    });
    if (!created.ok) {
      throw new Failure(
        `${statePath}: ${created.error.detail}`,
        "move the file away: the agent then asks the collector where it stands",
      );
    }
    const source = created.value;
    checkpoints.attach(id, () => source.snapshot());
    return { id, source, settings };
  }

  /**
   * What sources of an earlier configuration knew of files that are this one's now; one that was
   * configured before has lost them to another meanwhile.
   *
   * @param configured whoever is, or is about to be, attached keeps its own
   */
  #inherit(settings: SourceSettings, configured: ReadonlySet<string>): unknown[] {
    if (settings.kind !== "file") {
      return [];
    }
    const { include, exclude } = settings;
    const { checkpoints } = this.#parts;
    const inherited: unknown[] = [];
    for (const [id, state] of checkpoints.unattached()) {
      if (configured.has(id)) continue;
      const split = splitFileState(state, { include, exclude });
      if (split !== undefined) {
        inherited.push(split.covered);
        checkpoints.replace(id, split.rest);
      }
    }
    return inherited;
  }

  async #follow(owner: ConfiguredSource): Promise<void> {
    const { emit, changed } = this.#parts;
    try {
      for await (const change of owner.source.changes(this.#abort.signal)) {
        changed(owner, change);
      }
    } catch (error) {
      if (!this.#abort.signal.aborted) {
        emit({ kind: "failed", error });
      }
    }
  }
}

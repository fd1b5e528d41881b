import { Failure } from "@sluice/service";
import { FileSource, type OwnFiles, type Source, type StreamChange } from "@sluice/tail";

import type { AgentEvent } from "./agent-event.ts";
import type { SourceSettings } from "./agent-settings.ts";
import type { Checkpoints } from "./checkpoints.ts";

/** A source and what the configuration says of it. */
export interface ConfiguredSource {
  readonly id: string;
  readonly source: Source;
  /** Replaced by a reload that leaves the source itself as it is. */
  settings: SourceSettings;
}

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
  readonly #sources: ConfiguredSource[] = [];
  readonly #abort = new AbortController();

  /** @throws Failure where the state of a source is not one that it made */
  constructor(settings: readonly SourceSettings[], parts: SourceSetParts) {
    this.#parts = parts;
    for (const each of settings) {
      this.#sources.push(this.#create(each));
    }
  }

  /** The first look at each; what there is to read is told before this resolves. */
  async start(): Promise<void> {
    for (const owner of this.#sources) {
      void this.#follow(owner);
      await owner.source.start();
    }
  }

  /** Whose a stream of this name is; undefined where no source is configured for it any more. */
  owner(name: string): ConfiguredSource | undefined {
    return this.#sources.find(({ source }) => source.covers(name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort(new Error("the agent stops"));
    await Promise.all(this.#sources.map(({ source }) => source[Symbol.asyncDispose]()));
  }

  #create(settings: SourceSettings): ConfiguredSource {
    const { checkpoints, statePath, emit } = this.#parts;
    const id = sourceId(settings);
    const created = FileSource.create({
      include: settings.include,
      exclude: settings.exclude,
      start: settings.start,
      roots: settings.roots,
      own: this.#parts.own,
      state: checkpoints.source(id),
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

/** A source keeps its state across restarts while what it reads is the same. */
function sourceId(source: SourceSettings): string {
  return `file:${JSON.stringify([source.include, source.exclude])}`;
}

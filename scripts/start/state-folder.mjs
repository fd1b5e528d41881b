/** What lies in `.sluice/`: two configurations, the data, the agent's state, and how to reach it all. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const NOTE = "# Written by `npm start`, and written anew by the next one.\n";

export class StateFolder {
  constructor(path) {
    this.path = path;
    this.collectorConfig = join(path, "collector.yaml");
    this.agentConfig = join(path, "agent.yaml");
    this.context = join(path, "context.json");
    this.data = join(path, "data");
    this.sample = join(path, "sample");
    this.queryToken = join(path, "data/tokens/query.token");
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }

  get hasData() {
    return existsSync(join(this.data, "head.db"));
  }

  /**
   * @param {{host: string, port: number}} address
   * @param {{include: string[], exclude: string[], host: string | undefined}} source
   */
  write({ host, port }, source) {
    const place = `${host}:${port}`;
    writeYaml(this.collectorConfig, { listen: place, data_dir: this.data });
    writeYaml(this.agentConfig, {
      collector: `ws://${place}`,
      token_file: join(this.data, "tokens/ingest.token"),
      state_dir: join(this.path, "agent"),
      ...(source.host !== undefined && { host: source.host }),
      sources: [{ file: source.include, ...this.#exclude(source), start: "beginning" }],
    });
    const context = { collector: `http://${place}`, tokenFile: this.queryToken };
    writeFileSync(this.context, `${JSON.stringify(context, undefined, 2)}\n`, { mode: 0o600 });
  }

  /** The agent knows a source by its globs: one that has begun keeps them, and goes on where it was. */
  #exclude({ include, exclude }) {
    const globs = this.#earlierExclude(include) ?? exclude;
    return globs.length === 0 ? {} : { exclude: globs };
  }

  #earlierExclude(include) {
    if (!existsSync(this.agentConfig)) return undefined;
    const text = readFileSync(this.agentConfig, "utf8");
    if (!text.includes(`file: ${JSON.stringify(include)}\n`)) return undefined;
    const exclude = /^ +exclude: (\[.*\])$/m.exec(text)?.[1];
    return exclude === undefined ? undefined : JSON.parse(exclude);
  }

  /** The token of the API; the collector writes it at its first start. */
  readQueryToken() {
    return readFileSync(this.queryToken, "utf8").trim();
  }
}

/** JSON is YAML: one key a line is all the layout that a reader needs. */
function writeYaml(path, config) {
  const lines = Object.entries(config).map(([key, value]) =>
    key === "sources"
      ? `sources:\n${value.map(toItem).join("")}`
      : `${key}: ${JSON.stringify(value)}\n`,
  );
  writeFileSync(path, NOTE + lines.join(""), { mode: 0o600 });
}

function toItem(source) {
  const rows = Object.entries(source).map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`);
  return `  - ${rows.join("    ")}`;
}

import { parseDuration } from "@sluice/quantity";
import { aggregateName } from "./ast.ts";
import type { Aggregate, GroupKey, SortKey, Stage, StatsStage } from "./ast.ts";
import { QueryFault } from "./query-error.ts";
import { lexStages, StageTokens } from "./stage-lexer.ts";
import type { StageToken } from "./stage-lexer.ts";

const STAGES =
  "stages are stats count() by host, 5m; top 10 host; fields host,body; limit 100; sort time desc";
const FUNCTIONS = "functions are count(), min(x), max(x), avg(x), p95(x) and uniq(x)";
/** What a number behind `top` or `limit` may be: more rows than anyone reads. */
const MAX_COUNT = 1_000_000;

/** Reads the stages of a query from the place where its filter ended. Throws a QueryFault. */
export function parseStages(text: string, from: number): readonly Stage[] {
  return new StageParser(new StageTokens(lexStages(text, from))).parse();
}

class StageParser {
  readonly #tokens: StageTokens;
  /** Names of the columns behind the stage read last; undefined while rows still are records with any field. */
  #columns: readonly string[] | undefined;

  constructor(tokens: StageTokens) {
    this.#tokens = tokens;
  }

  parse(): readonly Stage[] {
    const stages: Stage[] = [];
    while (this.#tokens.peek().kind === "pipe") {
      const pipe = this.#tokens.take();
      stages.push(this.#parseStage(pipe));
      const { kind, text, at } = this.#tokens.peek();
      if (kind !== "pipe" && kind !== "end") {
        throw new QueryFault(`${text} is not expected here`, at, text.length, STAGES);
      }
    }
    return stages;
  }

  #parseStage(pipe: StageToken): Stage {
    const name = this.#tokens.take();
    if (name.kind === "pipe" || name.kind === "end") {
      throw new QueryFault("no stage stands behind this |", pipe.at, 1, STAGES);
    }
    switch (name.text) {
      case "stats":
        return this.#parseStats();
      case "top":
        return this.#parseTop();
      case "fields":
        return this.#parseFields();
      case "limit":
        return { kind: "limit", count: this.#parseCount("limit 100") };
      case "sort":
        return { kind: "sort", keys: this.#parseSortKeys(name) };
      default:
        throw new QueryFault(`${name.text} is not a stage`, name.at, name.text.length, STAGES);
    }
  }

  #parseStats(): StatsStage {
    const columns: string[] = [];
    const aggregates: Aggregate[] = [];
    do {
      const at = this.#tokens.peek();
      const aggregate = this.#parseAggregate();
      aggregates.push(aggregate);
      addColumn(columns, aggregateName(aggregate), at);
    } while (this.#tokens.takeIf("comma"));
    const by: GroupKey[] = [];
    const keyColumns: string[] = [];
    if (this.#tokens.takeWord("by")) {
      do {
        const at = this.#tokens.peek();
        const key = this.#parseGroupKey();
        by.push(key);
        addColumn(columns, key.kind === "time" ? "time" : key.field, at);
        keyColumns.push(key.kind === "time" ? "time" : key.field);
      } while (this.#tokens.takeIf("comma"));
    }
    this.#columns = [...keyColumns, ...aggregates.map(aggregateName)];
    return { kind: "stats", aggregates, by };
  }

  #parseAggregate(): Aggregate {
    const name = this.#tokens.take();
    const kind = name.text;
    const known = ["count", "min", "max", "avg", "p95", "uniq"] as const;
    const found = known.find((candidate) => candidate === kind);
    if (found === undefined) {
      throw new QueryFault(
        kind === "" ? "a function is missing" : `${kind} is not a function of stats`,
        name.at,
        kind.length,
        FUNCTIONS,
      );
    }
    this.#tokens.expect("open", `${found} needs parentheses`, FUNCTIONS);
    if (found === "count") {
      this.#tokens.expect("close", "count() takes no field", FUNCTIONS);
      return { kind: found };
    }
    const field = this.#parseField(`${found}(took)`);
    this.#tokens.expect("close", "this parenthesis is not closed", FUNCTIONS);
    return { kind: found, field };
  }

  #parseGroupKey(): GroupKey {
    const token = this.#tokens.peek();
    if (token.kind !== "amount") {
      return { kind: "field", field: this.#parseField("by host, 5m") };
    }
    this.#tokens.take();
    const bucket = parseDuration(token.text);
    if (!bucket.ok || bucket.value === 0) {
      throw new QueryFault(
        `${token.text} is not a length of time`,
        token.at,
        token.text.length,
        bucket.ok ? "a bucket is longer than nothing, as in 5m" : bucket.error,
      );
    }
    if (this.#columns !== undefined && !this.#columns.includes("time")) {
      throw this.#noColumn("time", token);
    }
    return { kind: "time", bucketMs: bucket.value };
  }

  #parseTop(): Stage {
    const count = this.#parseCount("top 10 host");
    const token = this.#tokens.peek();
    const field = this.#parseField("top 10 host");
    if (field === "count") {
      throw new QueryFault("two columns would be called count", token.at, token.text.length);
    }
    this.#columns = [field, "count"];
    return { kind: "top", count, field };
  }

  #parseFields(): Stage {
    const fields: string[] = [];
    do {
      const at = this.#tokens.peek();
      addColumn(fields, this.#parseField("fields host, body"), at);
    } while (this.#tokens.takeIf("comma"));
    this.#columns = fields;
    return { kind: "fields", fields };
  }

  #parseSortKeys(sort: StageToken): readonly SortKey[] {
    this.#tokens.takeWord("by");
    const keys: SortKey[] = [];
    if (this.#tokens.peek().kind === "pipe" || this.#tokens.peek().kind === "end") {
      this.#checkColumn("time", sort);
      return [{ field: "time", descending: false }];
    }
    do {
      const field = this.#parseField("sort time desc");
      const descending = this.#tokens.takeWord("desc");
      if (!descending) {
        this.#tokens.takeWord("asc");
      }
      keys.push({ field, descending });
    } while (this.#tokens.takeIf("comma"));
    return keys;
  }

  #parseCount(example: string): number {
    const { kind, text, at } = this.#tokens.take();
    const count = Number(text);
    if (kind !== "amount" || !/^\d+$/.test(text) || count < 1 || count > MAX_COUNT) {
      throw new QueryFault(
        `a whole number from 1 to ${MAX_COUNT} is expected${text === "" ? "" : `, not ${text}`}`,
        at,
        text.length,
        `write ${example}`,
      );
    }
    return count;
  }

  #parseField(example: string): string {
    const token = this.#tokens.take();
    if (token.kind !== "name") {
      throw new QueryFault(
        token.text === "" ? "a field is missing" : `a field is expected, not ${token.text}`,
        token.at,
        token.text.length,
        `write ${example}`,
      );
    }
    const name = this.#columns === undefined ? token.text : this.#parseColumn(token.text);
    this.#checkColumn(name, token);
    return name;
  }

  /** Columns of `stats` are named as they were asked for: `p95(took)`, and `count` or `count()`. */
  #parseColumn(name: string): string {
    if (!this.#tokens.takeIf("open")) {
      return name;
    }
    if (this.#tokens.takeIf("close")) {
      return name === "count" ? name : `${name}()`;
    }
    const field = this.#tokens.take().text;
    this.#tokens.expect("close", "this parenthesis is not closed", FUNCTIONS);
    return `${name}(${field})`;
  }

  #checkColumn(field: string, token: StageToken): void {
    if (this.#columns !== undefined && !this.#columns.includes(field)) {
      throw this.#noColumn(field, token);
    }
  }

  #noColumn(field: string, token: StageToken): QueryFault {
    return new QueryFault(
      `no column is called ${field} here`,
      token.at,
      token.text.length,
      `the stage before gives ${this.#columns?.join(", ") ?? ""}`,
    );
  }
}

function addColumn(columns: string[], name: string, { at, text }: StageToken): void {
  if (columns.includes(name)) {
    throw new QueryFault(`two columns would be called ${name}`, at, text.length);
  }
  columns.push(name);
}

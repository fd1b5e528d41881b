import { type Command, Option } from "@commander-js/extra-typings";
import { durationMs, formatDuration } from "@sluice/quantity";

import { SCOPE } from "../access/key-file.ts";
import type { MintedToken, TokenEntry } from "../access/access-report.ts";
import { openAccessSource } from "../client/access-source.ts";
import { formatAge, formatTable } from "../output/text-table.ts";
import { readDuration, reportChange, withAccessOptions } from "./access-options.ts";
import { hasColor, print, printJson } from "./admin-options.ts";

const COLUMNS = [
  { title: "ID", align: "left" },
  { title: "SCOPE", align: "left" },
  { title: "NAME", align: "left" },
  { title: "MADE", align: "right" },
  { title: "STATE", align: "left" },
] as const;

const DEFAULT_OVERLAP = durationMs(3_600_000);

/** `sluice tokens` */
export function addTokens(root: Command): void {
  const tokens = root
    .command("tokens")
    .description("list who may do what, besides enrolled agents");
  withAccessOptions(tokens.command("list", { isDefault: true }).description("list them")).action(
    async (options) => {
      const source = await openAccessSource(options, process.env);
      const list = await source.tokens();
      await (options.json ? printJson(list) : print(formatTokens(list, Date.now(), hasColor())));
    },
  );

  withAccessOptions(
    tokens
      .command("new")
      .description("make a token; it is shown this once")
      .addOption(
        new Option("--scope <scope>", "what it allows")
          .choices(SCOPE.options)
          .makeOptionMandatory(true),
      )
      .option("--name <name>", "what it is for, in the list", "-")
      .addOption(
        new Option(
          "--ttl <duration>",
          "how long it works (default: until it is revoked)",
        ).argParser(readDuration),
      ),
  ).action(async ({ scope, name, ttl, ...options }) => {
    const source = await openAccessSource(options, process.env);
    const request = { scope, name, ...(ttl !== undefined && { ttlMs: ttl }) };
    await printToken(await source.mintToken(request), options.json);
  });

  withAccessOptions(
    tokens
      .command("revoke")
      .description("end a token or an enrolment now, with what it has under way")
      .argument("<id>", "as `sluice tokens` lists it"),
  ).action((id, options) =>
    reportChange(
      options,
      (source) => source.revokeToken(id),
      ({ name }) => `Revoked ${id}${name === "-" || name === id ? "" : ` (${name})`}.`,
    ),
  );

  withAccessOptions(
    tokens
      .command("rotate")
      .description("make another token in the place of one, which goes on for a while")
      .argument("<id>", "as `sluice tokens` lists it")
      .addOption(
        new Option(
          "--overlap <duration>",
          "how long the old one works; 0 ends it now (default: 1h)",
        )
          .argParser(readDuration)
          .default(DEFAULT_OVERLAP, "1h"),
      ),
  ).action(async (id, { overlap, ...options }) => {
    const source = await openAccessSource(options, process.env);
    await printToken(await source.rotateToken(id, overlap), options.json);
    if (!options.json) {
      const until = overlap === 0 ? "has ended" : `works for another ${formatDuration(overlap)}`;
      process.stderr.write(`The old one ${until}.\n`);
    }
  });
}

/** The secret alone on stdout, so that it can be put into a file: `sluice tokens new ... >query.token`. */
async function printToken(minted: MintedToken, isJson: boolean): Promise<void> {
  if (isJson) {
    await printJson(minted);
    return;
  }
  const { id, scope, expires } = minted;
  const until = expires === null ? "until it is revoked" : `until ${expires}`;
  process.stderr.write(`Token ${id} of scope ${scope}, ${until}. It is shown this once:\n`);
  await print(`${minted.token}\n`);
}

function formatTokens(tokens: readonly TokenEntry[], nowMs: number, isColored: boolean): string {
  if (tokens.length === 0) {
    return "No tokens yet: `sluice tokens new` makes one, `sluice enroll new` lets a host join.\n";
  }
  const rows = tokens.map((token) => [
    token.id,
    token.scope,
    nameOf(token),
    token.created === null ? "-" : formatAge(nowMs - Date.parse(token.created)),
    stateOf(token, nowMs),
  ]);
  return formatTable(COLUMNS, rows, isColored);
}

function nameOf({ kind, name, hosts }: TokenEntry): string {
  switch (kind) {
    case "enrolment":
      return hosts === "*" ? "any host" : `hosts named ${hosts ?? ""}`;
    case "file":
      return `data_dir/tokens/${name}`;
    case "token":
      return name;
    default:
      return kind satisfies never;
  }
}

function stateOf({ revoked, expires, uses, used }: TokenEntry, nowMs: number): string {
  if (revoked !== null) {
    return `revoked ${formatAge(nowMs - Date.parse(revoked))}`;
  }
  if (uses !== null && used !== null && used >= uses) {
    return uses === 1 ? "used" : `used ${used} times, as often as it may`;
  }
  const leftMs = expires === null ? undefined : Date.parse(expires) - nowMs;
  if (leftMs !== undefined && leftMs <= 0) {
    return `expired ${formatAge(-leftMs)}`;
  }
  const left = leftMs === undefined ? "" : `, ${formatDuration(roughly(leftMs))} left`;
  const count = uses === null || uses === 1 ? "" : `, used ${used ?? 0} of ${uses} times`;
  return `valid${left}${count}`;
}

/** The two largest units say enough. */
function roughly(ms: number): number {
  const step = ms > 2 * 86_400_000 ? 3_600_000 : ms > 7_200_000 ? 60_000 : 1_000;
  return Math.floor(ms / step) * step;
}

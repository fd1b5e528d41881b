import type { Command, OptionValues } from "@commander-js/extra-typings";
import { durationMs, type DurationMs, parseDuration } from "@sluice/quantity";
import { InvalidArgumentError } from "commander";

import type { AccessChange } from "../access/access-report.ts";
import { type AccessSource, openAccessSource } from "../client/access-source.ts";
import type { TargetOptions } from "../client/context.ts";
import { print, printJson, SOURCE_FLAGS } from "./admin-options.ts";

// A type: commander wants an index signature, which an interface has not.
type AccessFlags = {
  readonly collector?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
  readonly json: boolean;
};

/** Adds what every command needs that changes who may do what: a running collector does it. */
export function withAccessOptions<
  Arguments extends unknown[],
  Options extends OptionValues,
  Globals extends OptionValues,
>(
  command: Command<Arguments, Options, Globals>,
): Command<Arguments, Options & AccessFlags, Globals> {
  const extended: unknown = command
    .option(...SOURCE_FLAGS.collector)
    .option(...SOURCE_FLAGS.tokenFile)
    .option(...SOURCE_FLAGS.ca)
    .option(...SOURCE_FLAGS.json);
  return extended as Command<Arguments, Options & AccessFlags, Globals>;
}

/** Asks for a change, and says what it was. */
export async function reportChange(
  options: TargetOptions & { readonly json: boolean },
  act: (source: AccessSource) => Promise<AccessChange>,
  describe: (change: AccessChange) => string,
): Promise<void> {
  const change = await act(await openAccessSource(options, process.env));
  const { closed } = change;
  const ended =
    closed === 0 ? "" : ` ${closed === 1 ? "Its connection" : `${closed} connections`} ended.`;
  await (options.json ? printJson(change) : print(`${describe(change)}${ended}\n`));
}

/** @throws InvalidArgumentError for commander */
export function readDuration(text: string): DurationMs {
  const duration = text === "0" ? { ok: true as const, value: durationMs(0) } : parseDuration(text);
  if (!duration.ok) {
    throw new InvalidArgumentError(`${duration.error}.`);
  }
  return duration.value;
}

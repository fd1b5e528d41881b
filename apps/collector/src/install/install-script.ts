/** Where the script's one fact about this collector stands. */
const COLLECTOR_PLACE = "@COLLECTOR_URL@";

/** The script that installs the agent on a host, for this collector. */
export async function renderScript(collectorUrl: string): Promise<string> {
  // Read with the first host that asks: commands have no need of it.
  const { INSTALL_TEMPLATE } = await import("./install-template.ts");
  return INSTALL_TEMPLATE.replaceAll(COLLECTOR_PLACE, () => quoteForShell(collectorUrl));
}

/** One word of sh, whatever the text holds. */
export function quoteForShell(text: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

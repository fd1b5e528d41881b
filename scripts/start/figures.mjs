/** How much has been shipped and what is still to come, as the collector's API tells it. */

const ANSWER_TIMEOUT_MS = 5_000;

/**
 * @typedef {object} Figures
 * @property {number} atMs on the monotonic clock
 * @property {number} records stored so far
 * @property {number} bytes of their lines
 * @property {number | undefined} behindBytes undefined until the agent has reported on each stream
 * @property {{source: string, records: number, bytes: number}[]} sources most lines first
 */

/** @returns {Promise<Figures | undefined>} undefined where the collector does not answer in time */
export async function readFigures(origin, token) {
  let agents;
  try {
    const response = await fetch(`${origin}/v1/agents`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    if (!response.ok) return undefined;
    agents = await response.json();
  } catch {
    return undefined; // starting, stopping, or busy: the next second asks again
  }
  return { atMs: performance.now(), ...summarize(agents) };
}

/** Adds up `sluice agents --json`: generations of one path count together. */
function summarize(agents) {
  const streams = agents.flatMap((agent) => agent.streams);
  const sources = new Map();
  for (const { source, records, bytes } of streams) {
    const sum = sources.get(source) ?? { source, records: 0, bytes: 0 };
    sum.records += records;
    sum.bytes += bytes;
    sources.set(source, sum);
  }
  const open = agents.filter((agent) => agent.connected).flatMap((agent) => agent.streams);
  const known = open.filter((stream) => typeof stream.behindBytes === "number");
  return {
    records: streams.reduce((sum, stream) => sum + stream.records, 0),
    bytes: streams.reduce((sum, stream) => sum + stream.bytes, 0),
    behindBytes:
      known.length === 0 ? undefined : known.reduce((sum, stream) => sum + stream.behindBytes, 0),
    sources: [...sources.values()].sort((a, b) => b.records - a.records),
  };
}

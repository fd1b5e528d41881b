/** Each reads all of the store, or gives back a great many rows. */
const QUERIES: readonly { readonly q: string; readonly n?: number }[] = [
  { q: '*"uthenticat"* | stats count()' },
  { q: "/(Failed|Accepted) (password|publickey) for (root|admin|oracle)/ | stats count()" },
  { q: "durationMs:>=800 | stats count() by host" },
  { q: "preauth or traceId", n: 200_000 },
];
const CONCURRENT = 4;
/** Of an answer's end: longer than its last line. */
const MOST_LAST_BYTES = 4096;

/** Clients of the API that ask one heavy question after another, each another one first. */
export class HeavyQueries implements AsyncDisposable {
  readonly #stopping = new AbortController();
  readonly #clients: Promise<void>[];
  /** Of those that came to their end. */
  readonly tookMs: number[] = [];
  failures = 0;
  /** Why the last one failed. */
  failure: string | undefined;

  constructor(url: string, token: string) {
    this.#clients = Array.from({ length: CONCURRENT }, (_, i) => this.#ask(url, token, i));
  }

  /** Gives up what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#clients);
  }

  async #ask(url: string, token: string, first: number): Promise<void> {
    const { signal } = this.#stopping;
    for (let i = first; !signal.aborted; i++) {
      const { q, n = 100 } = QUERIES[i % QUERIES.length] ?? { q: "*" };
      // With progress, as the command line asks: a client gives up on an answer that is silent for minutes.
      const asked = { q, n: String(n), reverse: "1", deadline: "10m", progress: "1" };
      const parameters = new URLSearchParams(asked);
      const startedMs = performance.now();
      try {
        const response = await fetch(`${url}/v1/query?${parameters.toString()}`, {
          headers: { authorization: `Bearer ${token}` },
          signal,
        });
        let last = "";
        for await (const chunk of response.body ?? []) {
          last = (last + Buffer.from(chunk as Uint8Array).toString()).slice(-MOST_LAST_BYTES);
        }
        if (response.ok && last.includes('{"end":'))
          this.tookMs.push(performance.now() - startedMs);
        else this.#failed(`${response.status} ${last}`);
      } catch (error) {
        if (!signal.aborted) this.#failed(String((error as Error).cause ?? error));
      }
    }
  }

  #failed(reason: string): void {
    this.failures += 1;
    this.failure = reason;
  }
}

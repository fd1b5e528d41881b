import type { Product } from "../product.ts";
import { rawQuery } from "../raw-query.ts";
import { StoredData, type StoredGap } from "../stored.ts";

/** A stream's records as the bytes that they were in its file, and what of it is missing. */
export interface StoredGeneration {
  readonly generation: number;
  readonly bytes: Buffer;
  /** In the order in which they were stored; of a file all of them stand behind its records. */
  readonly gaps: readonly StoredGap[];
}

const LF = 0x0a;

/**
 * What a stopped collector has of each source, by generation: the bytes as its own query gives them,
 * in stream order, whatever files they have been moved to meanwhile.
 *
 * @throws where the query gives more or fewer records than the streams say
 */
export async function* storedGenerations(
  product: Product,
  dataDir: string,
): AsyncGenerator<{ readonly source: string; readonly generations: readonly StoredGeneration[] }> {
  using data = StoredData.open(dataDir);
  const gaps = Map.groupBy(data.gaps(), ({ source }) => source);
  const records = new RecordReader(rawQuery(product, dataDir));
  for (const [source, streams] of Map.groupBy(data.streams(), (stream) => stream.source)) {
    const generations: StoredGeneration[] = [];
    for (const stream of streams) {
      const { generation } = stream;
      const bytes = await records.take(stream.records);
      const own = (gaps.get(source) ?? []).filter((gap) => gap.generation === generation);
      generations.push({ generation, bytes, gaps: own });
    }
    yield { source, generations };
  }
  await records.end();
}

/** Cuts a stream of bytes behind a number of lines. */
class RecordReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  async take(records: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let left = records; left > 0;) {
      if (this.#rest.length === 0) {
        const next = await this.#chunks.next();
        if (next.done === true) throw new Error(`the query gives ${left} records too few`);
        this.#rest = next.value;
      }
      let end = 0;
      while (left > 0) {
        const at = this.#rest.indexOf(LF, end);
        end = at < 0 ? this.#rest.length : at + 1;
        if (at < 0) break;
        left -= 1;
      }
      parts.push(this.#rest.subarray(0, end));
      this.#rest = this.#rest.subarray(end);
    }
    return Buffer.concat(parts);
  }

  async end(): Promise<void> {
    const { done } = await this.#chunks.next();
    if (this.#rest.length > 0 || done !== true) throw new Error("the query gives more records");
  }
}

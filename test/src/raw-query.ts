import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

import { PLAIN_ENV } from "./command.ts";
import type { Product } from "./product.ts";

/**
 * Everything that is stored, as `sluice query -o raw` prints it: by source and generation, each
 * body with an LF, which is how the files' bytes were.
 *
 * @throws where the command fails
 */
export async function* rawQuery(product: Product, dataDir: string): AsyncGenerator<Buffer> {
  const args = ["query", "*", "--data", dataDir, "-o", "raw", "--order", "stream", "--all"];
  const child = spawn(process.execPath, [product.collector, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: PLAIN_ENV,
  });
  const complaint = text(child.stderr);
  const closed = once(child, "close") as Promise<[number | null]>;
  yield* child.stdout as AsyncIterable<Buffer>;
  const [code] = await closed;
  if (code !== 0) throw new Error(`sluice query ended with ${code}: ${await complaint}`);
}

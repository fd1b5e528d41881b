import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { Hono } from "hono";

import { refuse } from "../api/refusal.ts";
import { renderScript } from "./install-script.ts";
import type { Products } from "./products.ts";

export interface InstallParts {
  readonly products: Products;
  /** Where agents reach the collector; undefined where that cannot be told. */
  readonly url: () => string | undefined;
  /** The authority that hosts are to trust, in PEM; undefined where their systems' are enough. */
  readonly ca: () => string | undefined;
}

const HEADERS = { "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" };

/** Downloads under way at a time: each holds a file open. */
const MAX_DOWNLOADS = 64;

/**
 * What a host needs before it has a key, and what is no secret: the script that installs the agent,
 * the authority it is to trust, and the agent's builds with their sums.
 */
export function installApi({ products, url, ca }: InstallParts): Hono {
  const app = new Hono();
  let downloads = 0;

  app.get("/install.sh", async (context) => {
    const collector = url();
    if (collector === undefined) {
      return refuse(503, {
        code: "no-public-url",
        message: "this collector does not know by what name hosts reach it",
        advice: "set public_url in collector.yaml",
      });
    }
    const script = await renderScript(collector);
    return context.body(script, 200, {
      ...HEADERS,
      "Content-Type": "text/x-shellscript; charset=utf-8",
    });
  });

  app.get("/ca.pem", (context) => {
    const pem = ca();
    return pem === undefined
      ? refuse(404, {
          code: "not-found",
          message: "this collector has no authority of its own",
          advice: "its certificate is signed by one that systems know already",
        })
      : context.body(pem, 200, { ...HEADERS, "Content-Type": "application/x-pem-file" });
  });

  app.get("/download/SHA256SUMS", async (context) =>
    context.text(await products.sums(), 200, HEADERS),
  );

  app.get("/download/:name", async (context) => {
    const name = context.req.param("name");
    const product = await products.find(name);
    if (product === undefined) {
      return refuse(404, {
        code: "not-found",
        message: `there is no ${name} to download`,
        advice: "put the agent's builds into the folder that products_dir names",
      });
    }
    if (downloads >= MAX_DOWNLOADS) {
      return refuse(503, {
        code: "busy",
        message: "too many downloads at a time",
        advice: "try again in a minute",
      });
    }
    downloads += 1;
    const file = createReadStream(product.path, { end: product.bytes - 1 });
    file.once("close", () => {
      downloads -= 1;
    });
    return context.body(Readable.toWeb(file) as ReadableStream<Uint8Array>, 200, {
      ...HEADERS,
      "Content-Type": "application/octet-stream",
      "Content-Length": String(product.bytes),
    });
  });
  return app;
}

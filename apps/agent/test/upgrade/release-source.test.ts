import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { ReleaseSource } from "../../src/upgrade/release-source.ts";

const PROGRAM = Buffer.from("a program\n");
const SUM = createHash("sha256").update(PROGRAM).digest("hex");

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sluice-release-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const offer: RequestListener = (request, response) => {
  if (request.url === "/download/SHA256SUMS") {
    response.end(`${SUM}  sluice-agent-linux-x64\nnonsense\n${"0".repeat(63)}  short\n`);
  } else if (request.url === "/download/sluice-agent-linux-x64") {
    response.end(PROGRAM);
  } else if (request.url === "/download/cut") {
    response.writeHead(200, { "Content-Length": "100" });
    response.write("a beginning");
    setImmediate(() => response.destroy());
  } else {
    response.writeHead(404).end();
  }
};

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

describe("what a collector offers", () => {
  it("is its list of sums, and the files", async () => {
    const server = createServer(offer);
    const source = new ReleaseSource(`ws://127.0.0.1:${await listen(server)}`, {});
    expect(await source.sums()).toEqual(new Map([["sluice-agent-linux-x64", SUM]]));
    const to = join(dir, "program");
    expect(await source.download("sluice-agent-linux-x64", to)).toBe(SUM);
    expect(readFileSync(to)).toEqual(PROGRAM);
    await expect(source.download("nothing", to)).rejects.toThrow("it answers 404");
    await expect(source.download("cut", to)).rejects.toThrow("cannot be had");
    server.close();
  });

  it("is taken from another machine over TLS only", () => {
    expect(() => new ReleaseSource("ws://logs.example.net", {})).toThrow("in plain text");
    expect(new ReleaseSource("wss://logs.example.net:7514", {}).origin).toBe(
      "https://logs.example.net:7514",
    );
  });

  it("is not taken from one whose authority is another than the pinned one", async ({ skip }) => {
    if (spawnSync("openssl", ["version"]).status !== 0) skip("needs openssl");
    const [right, wrong] = [authority("right"), authority("wrong")];
    const server = createTlsServer({ key: right.key, cert: right.cert }, offer);
    const url = `wss://localhost:${await listen(server)}`;
    expect((await new ReleaseSource(url, { ca: right.cert }).sums()).size).toBe(1);
    for (const trust of [{}, { ca: wrong.cert }]) {
      await expect(new ReleaseSource(url, trust).sums()).rejects.toThrow("self-signed");
    }
    server.close();
  });
});

function authority(name: string): { readonly key: string; readonly cert: string } {
  const [key, cert] = [join(dir, `${name}.key`), join(dir, `${name}.pem`)];
  const options =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost";
  const args = [...options.split(" "), "-keyout", key, "-out", cert];
  const { status, stderr } = spawnSync("openssl", args);
  if (status !== 0) throw new Error(stderr.toString());
  return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
}

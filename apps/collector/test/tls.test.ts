import { once } from "node:events";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { ApiLink } from "../src/client/api-link.ts";
import { withAccessChecks } from "../src/doctor/access-checks.ts";
import { isHostName } from "../src/init/host-names.ts";
import { namesOf, publicUrl } from "../src/server/reach.ts";
import { ConnectionGate } from "../src/server/connection-gate.ts";
import { createHttpServer } from "../src/server/server.ts";
import { ensureCertificate, ownTlsFiles } from "../src/tls/own-certificate.ts";
import { readTlsFiles, type TlsPaths, tlsServerOptions } from "../src/tls/tls-files.ts";
import { TlsWatch } from "../src/tls/tls-watch.ts";

const DAY_MS = 86_400_000;
const NAMES = ["logs.example.net", "127.0.0.1", "::1"];

let dataDir = "";
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "sluice-tls-"));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

async function made(nowMs = Date.now()): Promise<TlsPaths> {
  const files = ownTlsFiles(dataDir);
  await ensureCertificate(files, { names: NAMES, renew: false, nowMs });
  return { ...files, clientCaFile: undefined };
}

/** Of the certificate that a new connection is shown. */
async function serialAt(port: number): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

describe("a collector's own certificate", () => {
  test("is for its names, signed by its authority, and its keys are its owner's alone", async () => {
    const { caFile = "", keyFile } = await made();
    const { certificate } = await readTlsFiles(await made());
    const { certificate: ca } = await readTlsFiles({
      ...(await made()),
      certFile: caFile,
      keyFile: ownTlsFiles(dataDir).caKeyFile,
    });
    expect(namesOf(certificate)).toEqual(NAMES);
    expect(certificate.checkIssued(ca)).toBe(true);
    expect(certificate.verify(ca.publicKey)).toBe(true);
    for (const path of [keyFile, ownTlsFiles(dataDir).caKeyFile]) {
      expect((await stat(path)).mode & 0o077).toBe(0);
    }
  });

  test("stays until a name is missing, it is to be renewed, or it has expired", async () => {
    const files = ownTlsFiles(dataDir);
    const nowMs = Date.now();
    const ask = (names: string[], renew = false, at = nowMs) =>
      ensureCertificate(files, { names, renew, nowMs: at });
    expect(await ask(NAMES)).toMatchObject({ isNew: true, isAuthorityNew: true });
    expect(await ask(NAMES.slice(0, 1))).toMatchObject({ isNew: false, names: NAMES });
    expect(await ask(["other"])).toMatchObject({ isNew: true, names: [...NAMES, "other"] });
    expect(await ask([], true)).toMatchObject({ isNew: true, isAuthorityNew: false });
    expect(await ask([], false, nowMs + 400 * DAY_MS)).toMatchObject({ isNew: true });
  });

  test("is renewed in its last third, and the server shows the new one from then on", async () => {
    const paths = await made();
    let nowMs = Date.now();
    const taken: string[] = [];
    using watch = await TlsWatch.open({
      paths,
      dataDir,
      nowMs: () => nowMs,
      events: {
        taken: (expires) => void taken.push(expires),
        failed: (error) => {
          throw error;
        },
      },
    });
    const server = createHttpServer(
      new Hono().get("/v1/x", (context) => context.json("good")),
      new ConnectionGate(() => undefined),
      tlsServerOptions(watch.material),
    );
    watch.start(server);
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const ask = async (ca: string | undefined) => {
      const url = new URL(`https://127.0.0.1:${port}`);
      const link = new ApiLink(url, undefined, {
        ca,
        caFile: ca && "ca.pem",
        serverName: undefined,
      });
      const response = await link.send("GET", "v1/x", new AbortController().signal, undefined);
      return link.json(response);
    };
    const first = watch.material.certificate.serialNumber;
    expect(await ask(watch.material.ca)).toBe("good");
    await expect(ask(undefined)).rejects.toThrow("that no authority of this system has signed");
    expect(await serialAt(port)).toBe(first);
    await watch.look();
    expect(taken).toEqual([]);
    nowMs += 270 * DAY_MS;
    await watch.look();
    expect(taken).toHaveLength(1);
    expect(watch.material.certificate.serialNumber).not.toBe(first);
    expect(namesOf(watch.material.certificate)).toEqual(NAMES);
    expect(await serialAt(port)).toBe(watch.material.certificate.serialNumber);
    server.close();
    server.closeAllConnections();
  });

  test.each([
    ["a missing file", (paths: TlsPaths) => ({ ...paths, certFile: "/nowhere" }), "no such file"],
    [
      "a file of something else",
      (paths: TlsPaths) => ({ ...paths, caFile: paths.keyFile }),
      "no certificate in PEM",
    ],
    [
      "another's key",
      (paths: TlsPaths) => ({ ...paths, keyFile: ownTlsFiles(dataDir).caKeyFile }),
      "is not the key of",
    ],
  ])("%s is named", async (_, change, message) => {
    await expect(readTlsFiles(change(await made()))).rejects.toThrow(message);
  });
});

describe("doctor", () => {
  const REPORT = {
    dataDir: "",
    deep: false,
    checks: [],
    problems: 0,
    verdict: "everything is fine",
    advice: null,
  };
  const at = async (nowMs: number, publicUrlSet?: string) =>
    withAccessChecks(
      { ...REPORT, dataDir },
      {
        dataDir,
        tls: await made(),
        listen: { host: "0.0.0.0", port: 7514 },
        publicUrl: publicUrlSet,
      },
      nowMs,
    );

  test("finds nothing at first, and names the authority", async () => {
    const report = await at(Date.now(), "https://logs.example.net:7514");
    expect(report).toMatchObject({ problems: 0, verdict: "everything is fine", advice: null });
    expect(JSON.stringify(report.checks)).toContain("authority sha256:");
  });

  test.each([
    ["a certificate that expires soon", 390, undefined, "expires in 6 days", "sluice init --renew"],
    ["one that has expired", 400, undefined, "it expired on", "sluice init --renew"],
    [
      "one for another name",
      0,
      "https://x.example.net",
      "it is not for x.example.net",
      "sluice init --name x.example.net",
    ],
  ])("says what to do about %s", async (_, days, url, problem, advice) => {
    const report = await at(Date.now() + days * DAY_MS, url);
    expect(report.checks.flatMap(({ problems }) => problems).join()).toContain(problem);
    expect(report.advice).toContain(advice);
  });

  test("says what to do about plain text beyond the machine, and about secrets that others may read", async () => {
    await writeFile(join(dataDir, "keys.json"), "{}", { mode: 0o644 });
    const settings = {
      dataDir,
      tls: undefined,
      listen: { host: "::", port: 1 },
      publicUrl: undefined,
    };
    const report = await withAccessChecks({ ...REPORT, dataDir }, settings, 0);
    expect(report).toMatchObject({
      problems: 2,
      verdict: "2 problems found",
      advice: "make certificates: sluice init",
    });
    expect(report.checks[1]?.problems[0]).toContain("keys.json has mode 644");
  });
});

describe("where hosts reach a collector", () => {
  test.each([
    ["as configured", { publicUrl: "https://x:1/", host: "127.0.0.1", tls: false }, "https://x:1"],
    [
      "by the certificate's first name",
      { publicUrl: undefined, host: "0.0.0.0", tls: true },
      "https://logs.example.net:7",
    ],
    ["on this machine alone", { publicUrl: undefined, host: "::1", tls: true }, "https://[::1]:7"],
    [
      "in plain text at an address",
      { publicUrl: undefined, host: "10.0.0.1", tls: false },
      "http://10.0.0.1:7",
    ],
    [
      "in plain text at any address: unknown",
      { publicUrl: undefined, host: "0.0.0.0", tls: false },
      undefined,
    ],
  ])("%s", async (_, { publicUrl: configured, host, tls }, expected) => {
    const { certificate } = await readTlsFiles(await made());
    const facts = { publicUrl: configured, listen: { host, port: 7 } };
    expect(publicUrl({ ...facts, certificate: tls ? certificate : undefined })).toBe(expected);
  });

  test.each([
    ["logs.example.net", true],
    ["*.example.net", true],
    ["10.0.0.1", true],
    ["fd00::2", true],
    ["https://x", false],
    ["x:7514", false],
    ["-x", false],
    ["a b", false],
    ["", false],
  ])("%s as a name: %s", (name, isGood) => {
    expect(isHostName(name)).toBe(isGood);
  });
});

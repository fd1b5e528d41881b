import { webcrypto } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SUBPROTOCOL } from "@sluice/protocol";
import type { Store } from "@sluice/store";
import { Hono } from "hono";
import { expect, test } from "vitest";
import { WebSocket } from "ws";

import { FailedAttempts } from "../src/access/failed-attempts.ts";
import { AgentDirectory } from "../src/ingest/agent-directory.ts";
import { Ingest } from "../src/ingest/ingest.ts";
import { ConnectionGate } from "../src/server/connection-gate.ts";
import { createHttpServer } from "../src/server/server.ts";
import { createAuthority } from "../src/tls/authority.ts";
import { ensureCertificate, ownTlsFiles } from "../src/tls/own-certificate.ts";
import { readTlsFiles, tlsServerOptions } from "../src/tls/tls-files.ts";
import { sharedAccess } from "./door.ts";

const ECDSA = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** A client's certificate that an authority has signed. */
async function clientCertificate(authority: { certificate: string; key: string }) {
  const x509 = await import("@peculiar/x509"); // behind the polyfill that our own module loads for it
  const keys = await webcrypto.subtle.generateKey(ECDSA, true, ["sign", "verify"]);
  const [der = new ArrayBuffer()] = x509.PemConverter.decode(authority.key);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: "CN=web-1",
    issuer: new x509.X509Certificate(authority.certificate).subject,
    notAfter: new Date(Date.now() + 3_600_000),
    signingAlgorithm: ECDSA,
    publicKey: keys.publicKey,
    signingKey: await webcrypto.subtle.importKey("pkcs8", der, ECDSA, false, ["sign"]),
    extensions: [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])],
  });
  const key = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { cert: certificate.toString("pem"), key: x509.PemConverter.encode(key, "PRIVATE KEY") };
}

test("with client_ca_file an agent needs a certificate of that authority, besides its token", async () => {
  const dir = await mkdtemp(join(tmpdir(), "sluice-mtls-"));
  const files = ownTlsFiles(dir);
  const nowMs = Date.now();
  await ensureCertificate(files, { names: ["127.0.0.1"], renew: false, nowMs });
  const clients = await createAuthority(nowMs);
  const clientCaFile = join(dir, "client-ca.pem");
  await writeFile(clientCaFile, clients.certificate);
  const material = await readTlsFiles({ ...files, clientCaFile });
  const connections = new ConnectionGate(() => undefined);
  const server = createHttpServer(new Hono(), connections, tlsServerOptions(material));
  const ingest = new Ingest({
    store: { disconnect: () => undefined } as Partial<Store> as Store,
    directory: new AgentDirectory(),
    connections,
    access: sharedAccess(true),
    failures: new FailedAttempts(() => 0),
    wantsCertificate: true,
    onRefused: () => undefined,
    onError: (error) => {
      throw error;
    },
  });
  ingest.attach(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const connect = async (identity: { cert?: string; key?: string }): Promise<string> => {
    const socket = new WebSocket(`wss://127.0.0.1:${port}/v1/agent`, SUBPROTOCOL, {
      ca: material.ca,
      ...identity,
    });
    const outcome = await new Promise<string>((resolve) => {
      socket.once("open", () => resolve("open"));
      socket.once("unexpected-response", (_, { statusCode }) => resolve(String(statusCode)));
      socket.once("error", ({ message }) => resolve(message));
    });
    socket.on("error", () => undefined);
    socket.terminate();
    return outcome;
  };
  expect(await connect({})).toBe("401");
  expect(await connect(await clientCertificate(await createAuthority(nowMs)))).toBe("401");
  expect(await connect(await clientCertificate(clients))).toBe("open");
  server.close();
  server.closeAllConnections();
  await rm(dir, { recursive: true });
});

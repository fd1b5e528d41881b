import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { askStatus, StatusSocket } from "../../src/status/status-socket.ts";
import { Folder } from "../folder.ts";
import { statusOf } from "./status-of.ts";

const STATUS = statusOf();

let folder: Folder;

beforeEach(() => {
  folder = new Folder();
});

afterEach(() => folder[Symbol.dispose]());

async function listenWith(answer: string): Promise<Server> {
  const server = createServer((socket) => socket.end(answer));
  server.listen(folder.at("status.sock"));
  await once(server, "listening");
  return server;
}

describe("the status socket", () => {
  it("answers each who asks with the status of that moment", async () => {
    let pid = 0;
    await using _ = await StatusSocket.open(folder.path, () => ({ ...STATUS, pid: (pid += 1) }));
    const answers = await Promise.all([askStatus(folder.path), askStatus(folder.path)]);
    expect(answers.map((answer) => answer?.pid).toSorted((a = 0, b = 0) => a - b)).toEqual([1, 2]);
    expect(await askStatus(folder.path)).toEqual({ ...STATUS, pid: 3 });
  });

  it("is its user's alone", async () => {
    await using _ = await StatusSocket.open(folder.path, () => STATUS);
    expect(statSync(folder.at("status.sock")).mode & 0o777).toBe(0o600);
  });

  it("takes the place of one that a killed agent left behind", async () => {
    // Node removes a socket that it closes: a file in its place blocks just as well.
    writeFileSync(folder.at("status.sock"), "");
    expect(await askStatus(folder.path).catch(() => undefined)).toBeUndefined();
    await using _ = await StatusSocket.open(folder.path, () => STATUS);
    expect(await askStatus(folder.path)).toEqual(STATUS);
  });

  it("that is not there means that no agent is running", async () => {
    expect(await askStatus(folder.path)).toBeUndefined();
    const socket = await StatusSocket.open(folder.path, () => STATUS);
    await socket[Symbol.asyncDispose]();
    expect(await askStatus(folder.path)).toBeUndefined();
  });

  it.each(["", "{", "{}", '{"version":3}'])(
    "whose answer is %j is told from a status",
    async (answer) => {
      const server = await listenWith(answer);
      await expect(askStatus(folder.path)).rejects.toThrow("does not understand");
      server.close();
    },
  );

  it("says so where the path of the folder is too long for it", async () => {
    const long = folder.at("x".repeat(100));
    mkdirSync(long);
    await expect(StatusSocket.open(long, () => STATUS)).rejects.toThrow("too long a path");
  });
});

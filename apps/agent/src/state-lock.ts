import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { createConnection, createServer, type Server } from "node:net";
import { join } from "node:path";

import { Failure } from "@sluice/config";

/** A holder that does not answer for this long is taken for dead. */
const ANSWER_TIMEOUT_MS = 1_000;

/** Longest path a unix socket can be bound to (`sun_path`, less the NUL). */
const SOCKET_PATH_BYTES = 107;

/**
 * Keeps a second agent off a state folder. The lock is a listening unix socket in it: the kernel
 * closes it with its process, so a lock left by `kill -9` blocks nobody, and whoever finds it
 * taken can ask the holder who it is.
 */
export class StateLock implements AsyncDisposable {
  readonly #server: Server;
  readonly #path: string;

  private constructor(server: Server, path: string) {
    this.#server = server;
    this.#path = path;
  }

  /** @throws Failure where another agent holds the folder */
  static async acquire(stateDir: string): Promise<StateLock> {
    const path = join(stateDir, "lock.sock");
    if (Buffer.byteLength(path) > SOCKET_PATH_BYTES) {
      throw new Failure(
        `state_dir is too long a path for its lock: ${path}`,
        `choose one whose lock.sock path has at most ${SOCKET_PATH_BYTES} bytes`,
      );
    }
    const nonce = randomUUID();
    for (let attempt = 0; attempt < 3; attempt++) {
      const server = await listen(path, `${process.pid} ${nonce}`);
      const holder = await ask(path);
      if (server !== undefined) {
        if (holder?.endsWith(nonce) === true) {
          return new StateLock(server, path);
        }
        server.close(); // Another agent swept this socket away in the same moment: its turn.
      }
      if (holder !== undefined) {
        const pid = holder.split(" ")[0] ?? "unknown";
        throw new Failure(
          `another agent (process ${pid}) is using ${stateDir}`,
          "stop it first, or give this one a state_dir of its own",
        );
      }
      await rm(path, { force: true });
    }
    throw new Failure(`cannot lock ${stateDir}`, "look for another agent that is starting there");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await rm(this.#path, { force: true });
  }
}

function listen(path: string, greeting: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.end(greeting);
    });
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(undefined) : reject(error),
    );
    server.listen(path, () => {
      server.unref();
      resolve(server);
    });
  });
}

/** What the holder says of itself; undefined where nobody is listening. */
function ask(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    let answer = "";
    const finish = (): void => {
      socket.destroy();
      resolve(answer === "" ? undefined : answer);
    };
    socket.setTimeout(ANSWER_TIMEOUT_MS, finish);
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => (answer += text));
    socket.on("error", finish);
    socket.on("end", finish);
  });
}

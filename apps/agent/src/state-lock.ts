import { randomBytes } from "node:crypto";
import { readdir, readlink, rm, symlink } from "node:fs/promises";
import { createConnection, createServer, type Server } from "node:net";
import { join } from "node:path";

import { Failure } from "@sluice/service";

/** How long a holder may take to say who it is. */
const ANSWER_TIMEOUT_MS = 1_000;

/** Longest path a unix socket can be bound to (`sun_path`, less the NUL). */
const SOCKET_PATH_BYTES = 107;

/** Each claim lost was another agent's gain: one of so many that start at once holds the folder by then. */
const ATTEMPTS = 100;

const CLAIM = /^(\d{1,15})\.lock\.sock$/;

/**
 * Keeps a second agent off a state folder. Who starts listens on a unix socket of its own and then
 * claims the folder with a link to it, `N.lock.sock`, one above the highest claim there; the
 * highest claim holds. The kernel closes a socket with its process, so a claim left by `kill -9` answers
 * nobody and blocks nobody, and whoever finds a live one can ask it who it is.
 *
 * No claim is removed but below a higher one. So none can be made above a live one: who saw an
 * older state of the folder either finds its number taken, or a higher claim than its own.
 */
export class StateLock implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @throws Failure where another agent holds the folder */
  static async acquire(stateDir: string): Promise<StateLock> {
    const socket = `p${randomBytes(4).toString("hex")}.lock.sock`;
    const path = join(stateDir, socket);
    if (Buffer.byteLength(path) > SOCKET_PATH_BYTES) {
      throw new Failure(
        `state_dir is too long a path for its lock: ${stateDir}`,
        `choose one of at most ${SOCKET_PATH_BYTES - Buffer.byteLength(`/${socket}`)} bytes`,
      );
    }
    const server = await listen(path, String(process.pid));
    try {
      await claim(stateDir, socket);
      return new StateLock(server);
    } catch (error) {
      await close(server);
      throw error;
    }
  }

  /** The claim stays, and answers nobody. */
  async [Symbol.asyncDispose](): Promise<void> {
    await close(this.#server);
  }
}

async function claim(stateDir: string, socket: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const highest = (await claims(stateDir)).at(-1) ?? 0;
    const holder = highest === 0 ? undefined : await ask(claimPath(stateDir, highest));
    if (holder !== undefined) {
      throw new Failure(
        `another agent (process ${holder === "" ? "unknown" : holder}) is using ${stateDir}`,
        "stop it first, or give this one a state_dir of its own",
      );
    }
    const own = highest + 1;
    if (await link(socket, claimPath(stateDir, own))) {
      const others = (await claims(stateDir)).filter((number) => number !== own);
      if (others.every((number) => number < own)) {
        await sweep(stateDir, others);
        return;
      }
      await rm(claimPath(stateDir, own), { force: true });
    }
  }
  throw new Failure(`cannot lock ${stateDir}`, "look for other agents that are starting there");
}

/** Numbers of the claims in a folder, ascending. */
async function claims(stateDir: string): Promise<number[]> {
  const numbers = (await readdir(stateDir)).map((name) => Number(CLAIM.exec(name)?.[1] ?? 0));
  return numbers.filter((number) => number > 0).toSorted((a, b) => a - b);
}

function claimPath(stateDir: string, number: number): string {
  return join(stateDir, `${number}.lock.sock`);
}

/** False where the number is taken. */
async function link(socket: string, path: string): Promise<boolean> {
  try {
    await symlink(socket, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") {
      return false;
    }
    throw error;
  }
}

/** Removes claims below a held one, with the sockets that killed agents left behind. */
async function sweep(stateDir: string, numbers: readonly number[]): Promise<void> {
  for (const number of numbers) {
    const path = claimPath(stateDir, number);
    const socket = await readlink(path).catch(() => undefined);
    if (socket !== undefined && (await ask(path)) === undefined) {
      await rm(join(stateDir, socket), { force: true });
    }
    await rm(path, { force: true });
  }
}

function listen(path: string, greeting: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.end(greeting);
    });
    server.once("error", reject);
    server.listen(path, () => {
      server.unref();
      resolve(server);
    });
  });
}

/** Node removes the socket's file with it. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/**
 * What the holder says of itself: nothing, where it is stopped or stuck but alive. Undefined where
 * nobody is listening.
 */
function ask(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    let answer = "";
    const finish = (result: string | undefined): void => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => finish(answer));
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => (answer += text));
    socket.on("end", () => finish(answer));
    socket.on("error", ({ code }: NodeJS.ErrnoException) =>
      finish(code === "ECONNREFUSED" || code === "ENOENT" ? undefined : answer),
    );
  });
}

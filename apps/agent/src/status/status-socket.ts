import { rm } from "node:fs/promises";
import { createConnection, createServer, type Server } from "node:net";
import { join } from "node:path";
import { Failure } from "@sluice/service";

import { type AgentStatus, STATUS } from "./status-document.ts";

/** Longest path a unix socket can be bound to (`sun_path`, less the NUL). */
const SOCKET_PATH_BYTES = 107;

/** Askers at a time; each answer is held in memory until its asker has taken it. */
const MOST_ASKERS = 4;
/** How long an asker may take over an answer, and an agent over giving it. */
const ANSWER_TIMEOUT_MS = 5_000;
/** 16,384 streams at about 600 bytes, and room. */
const MOST_ANSWER_BYTES = 32 * 1024 * 1024;

/** Says how the agent is doing to whoever of its user connects to `state_dir/status.sock`: one JSON document each. */
export class StatusSocket implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** The caller holds the state folder: a socket that is there is a killed agent's. */
  static async open(stateDir: string, status: () => AgentStatus): Promise<StatusSocket> {
    const path = socketPathIn(stateDir);
    await rm(path, { force: true });
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy());
      socket.end(JSON.stringify(status()));
    });
    server.maxConnections = MOST_ASKERS;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      // Bound within the call: nobody else's umask is changed, and there is no moment with a wider mode.
      const umask = process.umask(0o177);
      try {
        server.listen(path, resolve);
      } finally {
        process.umask(umask);
      }
    });
    server.unref();
    return new StatusSocket(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/**
 * Asks the agent that is running on a state folder.
 *
 * @returns undefined where none is running there
 * @throws Failure where it cannot be asked or does not answer
 */
export async function askStatus(stateDir: string): Promise<AgentStatus | undefined> {
  const text = await readAnswer(socketPathIn(stateDir), stateDir);
  if (text === undefined) {
    return undefined;
  }
  const parsed = STATUS.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new Failure(
      `the agent on ${stateDir} answers what this version does not understand`,
      "use the sluice-agent of the version that is running, or restart the agent",
    );
  }
  return parsed.data;
}

function readAnswer(path: string, stateDir: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    const chunks: Buffer[] = [];
    let bytes = 0;
    const timer = setTimeout(() => {
      socket.destroy();
      reject(noAnswer(stateDir));
    }, ANSWER_TIMEOUT_MS);
    socket.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > MOST_ANSWER_BYTES) {
        socket.destroy(new Error(`an answer of more than ${MOST_ANSWER_BYTES} bytes`));
      }
    });
    socket.on("end", () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks).toString("utf8"));
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      if (error.code === "ENOENT" || error.code === "ECONNREFUSED") {
        resolve(undefined);
      } else if (error.code === "EACCES" || error.code === "EPERM") {
        reject(
          new Failure(
            `the agent on ${stateDir} may not be asked: ${error.message}`,
            "ask as the agent's user or as root: sudo sluice-agent status",
          ),
        );
      } else {
        reject(noAnswer(stateDir, error));
      }
    });
  });
}

function noAnswer(stateDir: string, cause?: Error): Failure {
  return new Failure(
    `the agent on ${stateDir} does not answer${cause === undefined ? " within 5 s" : `: ${cause.message}`}`,
    "try again; an agent that is stopped or stuck has to be restarted",
    undefined,
    { cause },
  );
}

function socketPathIn(stateDir: string): string {
  const path = join(stateDir, "status.sock");
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES) {
    throw new Failure(
      `state_dir is too long a path for a socket in it: ${stateDir}`,
      `choose one of at most ${SOCKET_PATH_BYTES - Buffer.byteLength("/status.sock")} bytes`,
    );
  }
  return path;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

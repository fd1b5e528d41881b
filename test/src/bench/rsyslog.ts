import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { join } from "node:path";

const LF = 10;

/** Debian's `rsyslogd` forwarding files over TCP, and the sink that it forwards to. */
export class Rsyslog implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  #sink: Server;
  /** Lines that have come to the sink. */
  received = 0;

  private constructor(process: ChildProcess, sink: Server, port: number) {
    this.#process = process;
    this.#sink = sink;
    this.#port = port;
    this.#serve(sink);
  }

  /**
   * @param folder an empty one, for its state
   * @param file a glob
   * @throws where there is no rsyslogd
   */
  static async start(folder: string, file: string): Promise<Rsyslog> {
    const sink = createServer().listen(0, "127.0.0.1");
    await once(sink, "listening");
    const { port } = sink.address() as AddressInfo;
    const config = join(folder, "rsyslog.conf");
    await writeFile(config, configuration(folder, file, port));
    const pidFile = join(folder, "rsyslog.pid");
    const rsyslogd = spawn("/usr/sbin/rsyslogd", ["-n", "-f", config, "-i", pidFile], {
      stdio: "ignore",
    });
    await once(rsyslogd, "spawn").catch((cause: unknown) => {
      throw new Error("no rsyslogd to compare with: apt-get install rsyslog", { cause });
    });
    return new Rsyslog(rsyslogd, sink, port);
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** The sink is gone, until `resume`. */
  pause(): void {
    this.#sink.close();
    this.#sockets.forEach((socket) => socket.destroy());
  }

  async resume(): Promise<void> {
    this.#sink = createServer().listen(this.#port, "127.0.0.1");
    this.#serve(this.#sink);
    await once(this.#sink, "listening");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null) {
      this.#process.kill("SIGKILL");
      await once(this.#process, "exit");
    }
    this.pause();
  }

  #serve(sink: Server): void {
    sink.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("data", (chunk) => {
        for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, at + 1)) {
          this.received += 1;
        }
      });
      socket.on("error", () => undefined);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }
}

/** As its manual has it for forwarding files reliably: an action queue, on disk where memory does not do, retried for ever. */
function configuration(folder: string, file: string, port: number): string {
  return `global(workDirectory="${folder}")
module(load="imfile" mode="inotify")
input(type="imfile" File="${file}" Tag="bench" Severity="info" Facility="local0" freshStartTail="off")
action(type="omfwd" target="127.0.0.1" port="${port}" protocol="tcp"
  action.resumeRetryCount="-1" action.resumeInterval="1"
  queue.type="LinkedList" queue.size="10000" queue.filename="forward"
  queue.maxDiskSpace="4g" queue.saveOnShutdown="on")
`;
}

/** Who holds a TCP port of this machine. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";

const LISTENING = "0A";
const MAX_COMMAND_LENGTH = 120;

/** @returns {Promise<Error | undefined>} why the address cannot be listened on, with a `code` */
export function tryListening(host, port) {
  return new Promise((done) => {
    const server = createServer();
    server.once("error", done);
    server.listen(port, host.replace(/^\[|\]$/g, ""), () => server.close(() => done(undefined)));
  });
}

/**
 * Sockets that listen on the port, from /proc/net/tcp and tcp6 (proc_pid_net(5)): columns are sl,
 * local_address (hex ADDRESS:PORT), rem_address, st, queues, timer, retransmits, uid, timeout, inode.
 */
function listeningInodes(port) {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((table) => {
    const rows = readIfPossible(table).split("\n").slice(1);
    return rows
      .map((row) => row.trim().split(/\s+/))
      .filter((column) => column[1]?.endsWith(suffix) && column[3] === LISTENING)
      .map((column) => column[9]);
  });
}

function readIfPossible(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // no /proc here, a process that has ended meanwhile, or another user's
  }
}

function holdsOneOf(pid, links) {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return links.has(readlinkSync(`/proc/${pid}/fd/${fd}`));
      } catch {
        return false; // closed while we looked
      }
    });
  } catch {
    return false; // another user's process
  }
}

/**
 * @returns {string} such as "node (process 4711: node server.js)", as far as /proc tells; a process
 * of another user keeps its name to itself
 */
export function describePortHolder(port) {
  const links = new Set(listeningInodes(port).map((inode) => `socket:[${inode}]`));
  if (links.size === 0) return "another process";
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const pid = pids.find((candidate) => holdsOneOf(candidate, links));
  if (pid === undefined) return "a process of another user";
  const name = readIfPossible(`/proc/${pid}/comm`).trim();
  const command = readIfPossible(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
  const shown =
    command.length > MAX_COMMAND_LENGTH ? `${command.slice(0, MAX_COMMAND_LENGTH)}...` : command;
  return `${name} (process ${pid}: ${shown})`;
}

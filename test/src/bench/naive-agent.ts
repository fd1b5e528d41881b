import { Tail } from "tail";
import WebSocket from "ws";

/** The baseline's agent: the npm package `tail`, one WebSocket message a line. */
const [file = "", url = ""] = process.argv.slice(2);

const socket = new WebSocket(url, { perMessageDeflate: false });
socket.once("open", () => {
  const tail = new Tail(file, { fromBeginning: true, useWatchFile: false });
  tail.on("line", (line: string) => socket.send(line));
  tail.on("error", (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 1;
  });
  process.stderr.write('{"msg":"ready"}\n');
});

import Database from "better-sqlite3";
import { WebSocketServer } from "ws";

/**
 * The baseline's collector: a row per line, in transactions of 1,000 rows, WAL. It is what a
 * competent first version looks like; it acknowledges nothing.
 */
const [path = "", port = "0"] = process.argv.slice(2);
const ROWS_PER_TRANSACTION = 1_000;

const db = new Database(path);
db.pragma("journal_mode = WAL");
db.pragma("synchronous = FULL");
db.exec(
  "CREATE TABLE lines (id INTEGER PRIMARY KEY, received INTEGER NOT NULL, line TEXT NOT NULL)",
);
const insert = db.prepare("INSERT INTO lines (received, line) VALUES (?, ?)");
let pending: string[] = [];
const commit = db.transaction(() => {
  const now = Date.now();
  for (const line of pending) {
    insert.run(now, line);
  }
  pending = [];
});

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(port) }, () => {
  process.stderr.write('{"msg":"ready"}\n');
});
server.on("connection", (socket) => {
  socket.on("message", (data: Buffer) => {
    pending.push(data.toString("utf8"));
    if (pending.length >= ROWS_PER_TRANSACTION) {
      commit();
    }
  });
});
setInterval(() => {
  if (pending.length > 0) {
    commit();
  }
}, 100);
process.once("SIGTERM", () => {
  commit();
  db.pragma("wal_checkpoint(TRUNCATE)");
  db.close();
  process.exit(0);
});

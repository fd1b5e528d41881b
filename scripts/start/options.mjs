/** What `npm start -- ...` takes. */
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

const ROOT = resolve(import.meta.dirname, "../..");

export const USAGE = `usage: npm start -- [options]

  --listen HOST:PORT  where the collector listens (default: 127.0.0.1:7514)
  --logs PATH         ship this file, or every text file below this folder, instead of this
                      machine's logs; may be given several times
  --state-dir DIR     where the data, the tokens and the configuration go (default: .sluice)
  --help              show this
`;

/**
 * @typedef {object} StartOptions
 * @property {string} host
 * @property {number} port
 * @property {string[]} logs absolute paths; empty for this machine's logs
 * @property {string} stateDir absolute
 */

/**
 * @returns {{ok: true, value: StartOptions | "help"} | {ok: false, error: string}}
 */
export function readOptions(argv) {
  let values;
  try {
    ({ values } = parseArgs({
      args: argv,
      options: {
        listen: { type: "string", default: "127.0.0.1:7514" },
        logs: { type: "string", multiple: true, default: [] },
        "state-dir": { type: "string", default: join(ROOT, ".sluice") },
        help: { type: "boolean", default: false },
      },
    }));
  } catch (error) {
    return { ok: false, error: error.message };
  }
  if (values.help) return { ok: true, value: "help" };
  const [, host, port] = /^(\[[0-9a-f:.]+\]|[^:[\]]+):(\d{1,5})$/i.exec(values.listen) ?? [];
  if (host === undefined || Number(port) > 65_535 || Number(port) === 0) {
    return { ok: false, error: `--listen ${values.listen}: expected HOST:PORT` };
  }
  // npm runs scripts in the folder of package.json; paths are meant from where npm was called.
  const from = process.env.INIT_CWD ?? process.cwd();
  return {
    ok: true,
    value: {
      host,
      port: Number(port),
      logs: values.logs.map((path) => resolve(from, path)),
      stateDir: resolve(from, values["state-dir"]),
    },
  };
}

/**
 * How each program becomes one file. CommonJS, for a single executable takes nothing else, and because a module
 * of Node is then required whole: to import one by names runs the getters of all that it exports, `node:http` loads
 * undici for a WebSocket that nobody asks for, and the agent takes 6 MiB more. It also lets the check of Node's
 * version have its say: a name that an old Node lacks is undefined there, and not a syntax error.
 */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");
const AGENT = join(ROOT, "apps/agent");
const COLLECTOR = join(ROOT, "apps/collector");

/**
 * @typedef {{ commit: string, date: string }} BuildStamp what `--version` says of a shipped product
 * @typedef {import("rolldown").RolldownOptions & { output: { file: string } }} Bundle
 */

/**
 * @param {string} file where the bundle goes
 * @param {BuildStamp} [stamp]
 * @returns {Bundle}
 */
export function agentBundle(file, stamp) {
  return {
    input: join(AGENT, "dist/bin.js"),
    platform: "node",
    plugins: [ownVersion(AGENT), buildStamp(stamp), tlsWhenAsked, asciiOnly],
    output: oneFile(file),
  };
}

/**
 * The command line, the server and all of its threads.
 *
 * @param {string} file where the bundle goes
 * @param {{ stamp?: BuildStamp, sqlite: string }} options `sqlite`: where better-sqlite3 is when the file runs,
 *   or "embedded" for an executable, which holds all of it
 * @returns {Bundle}
 */
export function collectorBundle(file, { stamp, sqlite }) {
  return {
    input: join(COLLECTOR, "dist/bundle.js"),
    platform: "node",
    plugins: [
      ownVersion(COLLECTOR),
      buildStamp(stamp),
      installTemplate,
      sqlite === "embedded" ? embeddedAddon : requiredLate("better-sqlite3", sqlite),
      asciiOnly,
    ],
    output: oneFile(file),
  };
}

function oneFile(file) {
  return { file, format: "cjs", codeSplitting: false, minify: "dce-only", comments: false };
}

/** The file is copied to hosts without the package.json that the modules read their version from. */
function ownVersion(app) {
  const { version } = JSON.parse(readFileSync(join(app, "package.json"), "utf8"));
  return replaceModule(join(app, "dist/version.js"), `export const VERSION = "${version}";`);
}

function buildStamp(stamp) {
  return replaceModule(
    join(ROOT, "packages/service/dist/build-stamp.js"),
    `export const BUILD_STAMP = ${JSON.stringify(stamp)};`,
  );
}

/** The script that hosts run is a file beside the modules, and part of the one file. */
const installTemplate = replaceModule(
  join(COLLECTOR, "dist/install/install-template.js"),
  `export const INSTALL_TEMPLATE = ${JSON.stringify(
    readFileSync(join(COLLECTOR, "templates/install.sh"), "utf8"),
  )};`,
);

/** better-sqlite3 looks for its addon in the folder that it was installed to; an executable has none. */
const embeddedAddon = {
  name: "embedded-addon",
  load: (id) =>
    id.endsWith("/better-sqlite3/lib/binding.js")
      ? `import { loadAddon } from ${JSON.stringify(join(COLLECTOR, "dist/executable/addon.js"))};
         export const getBinding = loadAddon;`
      : null,
};

/**
 * Leaves a library outside of the bundle, and loads it with the first module that needs it: what bundlers
 * call external is required at once, also by a command that opens no database.
 */
function requiredLate(library, place) {
  const id = `\0late:${library}`;
  return {
    name: "required-late",
    resolveId: {
      order: "pre",
      handler: (source) => (source === library ? { id } : null),
    },
    load: (loaded) =>
      loaded === id
        ? `module.exports = require("node:module").createRequire(__filename)(${JSON.stringify(place)});`
        : null,
  };
}

const TLS_LOADED = /^const (https|tls) = require\('\1'\);$/gm;
const TLS_USED = /(?<![\w.])(https\.request|tls\.connect)\b(?= :|\()/g;

/** TLS takes 3 MiB, which an agent does without while its collector is at a `ws:` address. */
const tlsWhenAsked = {
  name: "tls-when-asked",
  transform: (code, id) => {
    if (!id.endsWith("/ws/lib/websocket.js")) {
      return null;
    }
    if (code.match(TLS_LOADED)?.length !== 2 || code.match(TLS_USED)?.length !== 2) {
      throw new Error("this version of ws loads or uses TLS in another way");
    }
    return code
      .replaceAll(TLS_LOADED, "")
      .replaceAll(TLS_USED, (use) => use.replace(/^\w+/, "require('$&')"));
  },
};

function replaceModule(path, code) {
  return { name: "replace-module", load: (id) => (id === path ? code : null) };
}

/**
 * One character beyond Latin-1 has V8 hold the whole text of the file at two bytes a character, which
 * is 1.4 MiB more. Last of all: what minifies would write such characters again.
 */
const asciiOnly = {
  name: "ascii-only",
  generateBundle: (_options, bundle) => {
    for (const chunk of Object.values(bundle)) {
      chunk.code = chunk.code.replaceAll(/[^\0-\x7f]/g, unicodeEscape);
    }
  },
};

function unicodeEscape(unit) {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

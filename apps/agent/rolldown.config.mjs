import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";

const { version } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));

/** The file is copied to hosts without the package.json that the modules read their version from. */
const ownVersion = {
  name: "own-version",
  load: (id) =>
    id.endsWith("/agent/dist/version.js")
      ? `export const VERSION = ${JSON.stringify(version)};`
      : null,
};

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

const IMPORT = /^import (?:\* as )?([\w$]+)?(?:, )?(\{ [^}]+ \})? from "([^"]+)";$/gm;

/**
 * Node's own modules are required, not imported, for two reasons. To import one runs the getters of
 * all that it exports: `node:http` then loads all of undici for a WebSocket that nobody asks for, and
 * the agent takes 6 MiB more. And an old Node refuses a file that imports a name which it lacks,
 * before the first line of it runs; taken from the module's object, such a name is undefined, and
 * the version check has its say.
 */
const builtinsRequired = {
  name: "builtins-required",
  renderChunk: (code) => {
    const required = code.replaceAll(IMPORT, (line, whole, names, module) => {
      if (!isBuiltin(module)) {
        return line;
      }
      const object = `requireBuiltin("${module}")`;
      const members = names?.replaceAll(" as ", ": ");
      return [
        ...(whole === undefined ? [] : [`const ${whole} = ${object};`]),
        ...(members === undefined ? [] : [`const ${members} = ${whole ?? object};`]),
      ].join("\n");
    });
    const [shebang, ...rest] = required.split("\n");
    return [
      shebang,
      `import { createRequire as createBuiltinRequire } from "node:module";`,
      `const requireBuiltin = createBuiltinRequire(import.meta.url);`,
      ...rest,
    ].join("\n");
  },
};

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

/**
 * The agent as one file. Loading a hundred modules one by one costs 9 MiB of memory and 80 ms at
 * each start; the bundle has only what is used.
 */
// oxlint-disable-next-line import/no-default-export -- rolldown reads the default export
export default {
  input: "dist/bin.js",
  platform: "node",
  plugins: [ownVersion, tlsWhenAsked, builtinsRequired, asciiOnly],
  output: {
    file: "dist/sluice-agent.js",
    format: "esm",
    codeSplitting: false,
    minify: "dce-only",
    comments: false,
  },
};

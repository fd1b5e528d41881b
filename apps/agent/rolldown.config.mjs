import { readFileSync } from "node:fs";

const { version } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));

/** The file is copied to hosts without the package.json that the modules read their version from. */
const ownVersion = {
  name: "own-version",
  load: (id) =>
    id.endsWith("/agent/dist/version.js")
      ? `export const VERSION = ${JSON.stringify(version)};`
      : null,
};

const NAMED_IMPORT = /^import \{ ([^}]+) \} from "(node:[^"]+)";$/gm;

/**
 * An old Node refuses a file that imports a name which it lacks, before the first line of it runs.
 * Taken from the module's object, such a name is undefined, and the version check has its say.
 */
const lateNames = {
  name: "late-names",
  renderChunk: (code) =>
    code.replaceAll(NAMED_IMPORT, (_line, names, module) => {
      const object = `builtin_${module.replaceAll(/\W/g, "_")}`;
      return `import ${object} from "${module}";\nconst { ${names.replaceAll(" as ", ": ")} } = ${object};`;
    }),
};

/**
 * The agent as one file. Loading a hundred modules one by one costs 9 MiB of memory and 80 ms at
 * each start; the bundle has only what is used.
 */
// oxlint-disable-next-line import/no-default-export -- rolldown reads the default export
export default {
  input: "dist/bin.js",
  platform: "node",
  plugins: [ownVersion, lateNames],
  output: {
    file: "dist/sluice-agent.js",
    format: "esm",
    codeSplitting: false,
    minify: "dce-only",
  },
};

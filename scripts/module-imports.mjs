/** Reads which modules a source file names, from its syntax tree: comments and strings are safe. */
import { parseSync } from "oxc-parser";

/**
 * @typedef {object} ModuleImport
 * @property {string | undefined} specifier undefined where the name is computed when it runs
 * @property {boolean} typeOnly erased by the compiler, so it loads nothing
 * @property {number} line from 1
 */

const CODE_FILE = /^\.{1,2}\/.*\.[cm]?[jt]sx?$/;

function literal(node) {
  if (node?.type === "Literal" && typeof node.value === "string") return node.value;
  if (node?.type === "TemplateLiteral" && node.expressions.length === 0) {
    return node.quasis[0].value.cooked;
  }
  return undefined;
}

/** `import type ...`, or an import all of whose names are marked so: nothing is left at run time. */
function isTypeOnly(node) {
  if (node.importKind === "type" || node.exportKind === "type") return true;
  const names = node.specifiers ?? [];
  return names.length > 0 && names.every((n) => n.importKind === "type" || n.exportKind === "type");
}

function isRequire(callee) {
  if (callee.type === "Identifier") return callee.name === "require";
  if (callee.type !== "MemberExpression") return false;
  const { object, property } = callee;
  if (object.type === "Identifier" && object.name === "require") return property.name === "resolve";
  return object.type === "MetaProperty" && property.name === "resolve";
}

/** A path in `new URL("./x.ts", import.meta.url)`: how a worker thread's file is named. */
function isUrlBesideThisFile(node) {
  const base = node.arguments[1];
  return (
    node.callee.name === "URL" &&
    base?.type === "MemberExpression" &&
    base.object.type === "MetaProperty" &&
    base.property.name === "url"
  );
}

function importOf(node) {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportAllDeclaration":
      return { specifier: node.source.value, typeOnly: isTypeOnly(node) };
    case "ExportNamedDeclaration":
      return node.source ? { specifier: node.source.value, typeOnly: isTypeOnly(node) } : undefined;
    case "ImportExpression":
      return { specifier: literal(node.source), typeOnly: false };
    case "TSImportType":
      return { specifier: literal(node.source), typeOnly: true };
    case "TSExternalModuleReference":
      return { specifier: literal(node.expression), typeOnly: false };
    case "CallExpression":
      return isRequire(node.callee)
        ? { specifier: literal(node.arguments[0]), typeOnly: false }
        : undefined;
    case "NewExpression": {
      const path = isUrlBesideThisFile(node) ? literal(node.arguments[0]) : undefined;
      // Other paths are data, and a computed one stays with the file that computes it.
      return path !== undefined && CODE_FILE.test(path)
        ? { specifier: path, typeOnly: false }
        : undefined;
    }
    default:
      return undefined;
  }
}

function* nodesOf(value) {
  if (Array.isArray(value)) {
    for (const item of value) yield* nodesOf(item);
  } else if (value !== null && typeof value === "object") {
    if (typeof value.type === "string") yield value;
    for (const child of Object.values(value)) {
      if (child !== null && typeof child === "object") yield* nodesOf(child);
    }
  }
}

/**
 * Every module that a file names: static and dynamic imports, re-exports, type imports, `require`,
 * `import.meta.resolve` and the paths of worker threads.
 *
 * @param {string} path decides the dialect by its extension
 * @param {string} text
 * @returns {ModuleImport[]} in the order of the text
 * @throws {SyntaxError} where the file does not parse
 */
export function readModuleImports(path, text) {
  const { program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new SyntaxError(`${path}: ${errors[0].message}`);
  const imports = [];
  for (const node of nodesOf(program)) {
    const found = importOf(node);
    if (found) imports.push({ ...found, line: text.slice(0, node.start).split("\n").length });
  }
  return imports;
}

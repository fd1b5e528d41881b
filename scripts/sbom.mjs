/**
 * The bill of materials of a product as CycloneDX 1.6 (cyclonedx.org/docs/1.6/json): what is in it,
 * in which version, with the integrity that the lock file pins, and what depends on what.
 *
 * `node scripts/sbom.mjs` checks both; `node scripts/sbom.mjs --write FOLDER` writes
 * sluice-agent.cdx.json and sluice-collector.cdx.json there. The same lock file gives the same bytes.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import {
  PRODUCTS,
  productionPackages,
  readManifest,
  refOf,
  ROOT,
} from "./supply/production-packages.mjs";

/** "name@version" -> the SRI hash of what the registry sends. */
export function lockedIntegrity(lockText) {
  const entry =
    /^ {2}'?((?:@[^@\s/]+\/)?[^@\s']+@[^:'\s(]+)'?:\n {4}resolution: \{integrity: ([^,}]+)/gm;
  return new Map([...lockText.matchAll(entry)].map(([, name, integrity]) => [name, integrity]));
}

export function billOfMaterials(product, lockText) {
  const { name, version, license } = readManifest(join(ROOT, "apps", product));
  const { packages, direct } = productionPackages(product);
  const integrity = lockedIntegrity(lockText);
  const main = refOf({ name, version });
  const bom = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": main,
        name: `sluice-${product}`,
        version,
        licenses: [{ license: { id: license } }],
        purl: main,
      },
    },
    components: packages.map((one) => componentOf(one, integrity)),
    dependencies: [
      { ref: main, dependsOn: direct },
      ...packages.map(({ ref, dependsOn }) => ({ ref, dependsOn })),
    ],
  };
  return { ...bom, serialNumber: serialOf(bom) };
}

function componentOf({ ref, name, version, license, description, homepage }, integrity) {
  const [algorithm, digest] = (integrity.get(`${name}@${version}`) ?? "").split("-");
  const isExpression = / (AND|OR|WITH) /.test(license ?? "");
  return {
    type: "library",
    "bom-ref": ref,
    name,
    version,
    ...(description && { description }),
    ...(algorithm === "sha512" && {
      hashes: [{ alg: "SHA-512", content: Buffer.from(digest, "base64").toString("hex") }],
    }),
    ...(license && {
      licenses: [isExpression ? { expression: license } : { license: { id: license } }],
    }),
    purl: ref,
    ...(homepage && { externalReferences: [{ type: "website", url: homepage }] }),
  };
}

/** A UUID of the content, so that a bill changes its number only with what it lists. */
function serialOf(bom) {
  const hash = createHash("sha256").update(JSON.stringify(bom)).digest();
  hash[6] = (hash[6] & 0x0f) | 0x80;
  hash[8] = (hash[8] & 0x3f) | 0x80;
  const hex = hash.toString("hex", 0, 16);
  return `urn:uuid:${hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5")}`;
}

/** @returns {string[]} what is wrong with a bill, a line each */
export function billProblems(bom) {
  const refs = bom.components.map((component) => component["bom-ref"]);
  const known = new Set([bom.metadata.component["bom-ref"], ...refs]);
  return [
    ...(known.size === refs.length + 1 ? [] : ["a library is listed twice"]),
    ...bom.components
      .filter(({ hashes }) => hashes === undefined)
      .map(({ purl }) => `${purl} has no hash: the lock file does not pin it`),
    ...bom.components
      .filter(({ licenses }) => licenses === undefined)
      .map(({ purl }) => `${purl} states no licence`),
    ...bom.dependencies.flatMap(({ ref, dependsOn }) =>
      [ref, ...dependsOn].filter((one) => !known.has(one)).map((one) => `${one} is not listed`),
    ),
  ];
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const lockText = readFileSync(join(ROOT, "pnpm-lock.yaml"), "utf8");
  const [option, folder] = process.argv.slice(2);
  for (const product of PRODUCTS) {
    const bom = billOfMaterials(product, lockText);
    for (const problem of billProblems(bom)) {
      console.error(`${product}: ${problem}`);
      process.exitCode = 1;
    }
    console.log(`sluice-${product}: ${bom.components.length} libraries`);
    if (option === "--write" && folder !== undefined) {
      mkdirSync(folder, { recursive: true });
      const path = join(folder, `sluice-${product}.cdx.json`);
      writeFileSync(path, `${JSON.stringify(bom, undefined, 2)}\n`);
      console.log(path);
    }
  }
}

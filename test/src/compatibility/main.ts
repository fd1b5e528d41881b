import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { PRODUCT } from "../product.ts";
import { recordTranscript } from "./transcript.ts";

/** Keeps what the products of this tree say to each other, for the versions to come: once for each that is released. */
const manifest = readFileSync(join(PRODUCT.root, "apps/agent/package.json"), "utf8");
const { version } = JSON.parse(manifest) as { version: string };
const path = join(PRODUCT.root, `packages/protocol/golden/transcripts/${version}.json`);
const transcript = await recordTranscript(version);
writeFileSync(path, `${JSON.stringify(transcript, undefined, 2)}\n`, { flag: "wx" });
console.log(`${path}: ${transcript.messages.length} messages`);

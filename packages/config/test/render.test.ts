import * as fc from "fast-check";
import { expect, test } from "vitest";
import { loadConfig } from "../src/load.ts";
import { renderConfig } from "../src/render.ts";
import { collectorSchema } from "./collector-schema.ts";

const options = {
  schema: collectorSchema,
  file: "collector.yaml",
  envPrefix: "SLUICE_",
} as const;

test("renderConfig prints each value as a file would have it, with its origin", () => {
  const result = loadConfig({
    ...options,
    text: "data_dir: /d\nretention:\n  max_size: 50000MB\nsources:\n  - file: [/a, /b]\n",
    env: { SLUICE_RETENTION_KEEP: "48h" },
    flags: { workers: "3" },
  });
  expect(result.ok && renderConfig(result.value)).toBe(`listen: 127.0.0.1:7514 # default
data_dir: /d # collector.yaml:1
read_only: false # default
workers: 3 # flag --workers
order: time # default
retention:
  keep: 2d # environment SLUICE_RETENTION_KEEP
  max_size: 50GB # collector.yaml:3
  rules: []
labels: {}
sources:
  - file:
      - /a # collector.yaml:5
      - /b # collector.yaml:5
`);
});

test("renderConfig's text loads to the same value", () => {
  const word = fc.string({ minLength: 1, maxLength: 12 });
  const config = fc.record({
    data_dir: word,
    workers: fc.integer({ min: 1, max: 64 }),
    upstream: fc.oneof(word, fc.array(word, { minLength: 1, maxLength: 3 })),
    retention: fc.record({
      keep: fc.oneof(
        fc.constant("forever"),
        fc.nat().map((ms) => `${ms}ms`),
      ),
      max_size: fc.nat(),
    }),
    labels: fc.dictionary(word, word, { maxKeys: 3 }),
  });
  fc.assert(
    fc.property(config, (given) => {
      const load = (text: string) => loadConfig({ ...options, text, env: {}, flags: {} });
      const first = load(JSON.stringify(given));
      const second = load(first.ok ? renderConfig(first.value) : "");
      expect(first.ok && second.ok && second.value.value).toEqual(first.ok && first.value.value);
      expect(first.ok).toBe(true);
    }),
  );
});

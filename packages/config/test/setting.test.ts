import { expect, test } from "vitest";
import { listSettings } from "../src/setting.ts";
import { collectorSchema } from "./collector-schema.ts";

test("listSettings names the flag and the variable of each scalar, and of nothing in lists or under free keys", () => {
  const settings = listSettings(collectorSchema, "SLUICE_");
  expect(settings.map(({ key, flag, variable }) => [key, flag, variable])).toEqual([
    ["listen", "listen", "SLUICE_LISTEN"],
    ["data_dir", "data-dir", "SLUICE_DATA_DIR"],
    ["read_only", "read-only", "SLUICE_READ_ONLY"],
    ["workers", "workers", "SLUICE_WORKERS"],
    ["order", "order", "SLUICE_ORDER"],
    ["upstream", "upstream", "SLUICE_UPSTREAM"],
    ["retention.keep", "retention-keep", "SLUICE_RETENTION_KEEP"],
    ["retention.max_size", "retention-max-size", "SLUICE_RETENTION_MAX_SIZE"],
  ]);
});

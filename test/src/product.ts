import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A built tree of the product: this repository, or a copy of it that was changed on purpose. */
export interface Product {
  readonly root: string;
  /** `sluice-agent`, as it is shipped: one file. */
  readonly agent: string;
  /** `sluice`'s entry. */
  readonly collector: string;
}

export function productAt(root: string): Product {
  return {
    root,
    agent: join(root, "apps/agent/dist/sluice-agent.cjs"),
    collector: join(root, "apps/collector/dist/sluice.cjs"),
  };
}

/** The tree under test: `SLUICE_TREE`, else the repository that these tests belong to. */
export const PRODUCT: Product = productAt(
  process.env["SLUICE_TREE"] ?? fileURLToPath(new URL("../..", import.meta.url)),
);

import { join } from "node:path";

import { collectorBundle } from "../../scripts/bundle/bundles.mjs";

// oxlint-disable-next-line import/no-default-export -- rolldown reads the default export
export default collectorBundle(join(import.meta.dirname, "dist/sluice.cjs"), {
  sqlite: "../../../packages/store/node_modules/better-sqlite3",
});

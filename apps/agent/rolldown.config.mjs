import { join } from "node:path";

import { agentBundle } from "../../scripts/bundle/bundles.mjs";

// oxlint-disable-next-line import/no-default-export -- rolldown reads the default export
export default agentBundle(join(import.meta.dirname, "dist/sluice-agent.cjs"));

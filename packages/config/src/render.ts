import { Document, isNode } from "yaml";
import { formatKeyPath, scalarPaths } from "./key-path.ts";
import type { LoadedConfig } from "./load.ts";
import { formatOrigin } from "./origin.ts";

/**
 * Prints the effective configuration as YAML that `loadConfig` takes, with a comment after each value that says where it
 * came from: `listen: 127.0.0.1:7514 # default`.
 */
export function renderConfig(config: Pick<LoadedConfig<unknown>, "plain" | "origins">): string {
  const document = new Document(config.plain, { aliasDuplicateObjects: false });
  for (const path of scalarPaths(config.plain)) {
    const node = document.getIn(path, true);
    const origin = config.origins.get(formatKeyPath(path));
    if (isNode(node) && origin !== undefined) {
      node.comment = ` ${formatOrigin(origin)}`;
    }
  }
  return document.toString({ lineWidth: 0 });
}

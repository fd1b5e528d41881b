import { expect, test } from "vitest";

import { lockFileViolations } from "../lock-file.mjs";

const PINNED = `
catalogs:
  default:
    ws:
      specifier: 8.23.0
      version: 8.23.0
importers:
  apps/agent:
    dependencies:
      '@sluice/protocol':
        specifier: workspace:*
        version: link:../../packages/protocol
      ws:
        specifier: 'catalog:'
        version: 8.23.0
packages:
  ws@8.23.0:
    resolution: {integrity: sha512-abc==}
`;

test("integrity and exact versions are all that a lock file holds", () => {
  expect(lockFileViolations(PINNED)).toEqual([]);
});

test.each([
  "{integrity: sha512-abc==, tarball: ws-8.23.0.tgz}",
  "{tarball: https://registry.example.com/ws/-/ws-8.23.0.tgz}",
  "{type: git, repo: git+ssh://git@example.com/ws.git}",
])("the address in %s is reported with its line", (resolution) => {
  const text = PINNED.replace("{integrity: sha512-abc==}", resolution);
  expect(lockFileViolations(text)).toEqual([
    `pnpm-lock.yaml:18: holds an address: resolution: ${resolution}`,
  ]);
});

test.each(["^8.23.0", "~8.23.0", ">=8", "latest", "*"])("the range %s is reported", (range) => {
  const text = PINNED.replace("specifier: 8.23.0", `specifier: '${range}'`);
  expect(lockFileViolations(text)).toEqual([
    `pnpm-lock.yaml:5: "${range}" is not an exact version`,
  ]);
});

import { closeSync, openSync, symlinkSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { Site } from "../src/site.ts";
import { StoredData } from "../src/stored.ts";

test("an agent ships UTF-16 as UTF-8, records a hole as a gap, and leaves alone what is not to be read", async () => {
  await using site = new Site();
  const { port } = await site.startCollector();
  writeFileSync(join(site.logDir, "wide.log"), Buffer.from("\uFEFFGrüße\r\n日本\n", "utf16le"));
  const sparse = openSync(join(site.logDir, "sparse.log"), "w");
  writeSync(sparse, "before\n");
  writeSync(sparse, "after\n", 64 * 1024 * 1024);
  closeSync(sparse);
  writeFileSync(join(site.dir, "secret"), "secret\n");
  symlinkSync(join(site.dir, "secret"), join(site.logDir, "link.log"));
  const agent = await site.startAgent({
    port,
    files: [join(site.logDir, "*.log"), join(site.stateDir, "*")],
  });
  const outside = await agent.logged(({ fields }) => fields["reason"] === "outside-roots");
  expect(outside.msg).toContain("add the folder that it leads into to the source's `roots`");
  await agent.logged(({ fields }) => fields["reason"] === "own-log");
  await site.untilStored(4);
  const asking = [...site.asking(port), "--all", "--order", "stream", "-o", "raw"];
  const { stdout } = await site.sluice("query", "", ...asking);
  expect(stdout).toBe("before\nafter\nGrüße\r\n日本\n");
  using data = StoredData.open(site.dataDir);
  expect(data.gaps()).toMatchObject([{ cause: "corrupt" }]);
});

import { describe, expect, test } from "vitest";

import { mutatedFiles } from "../faults/mutant-tree.ts";
import { tryMutant } from "../faults/mutation.ts";
import { COMPARE_AND_SET_OFF, MUTANTS } from "../faults/mutants.ts";
import { FILE_MUTANTS } from "../faults/file-mutants.ts";
import { STORE_MUTANTS } from "../faults/store-mutants.ts";
import { UNIT_MUTANTS } from "../faults/unit-mutants.ts";
import { DAMAGE_PLAN } from "../src/kill/kill-sizes.ts";
import { PRODUCT } from "../src/product.ts";

describe("the kill test's teeth", () => {
  test.each([...MUTANTS, ...STORE_MUTANTS, ...FILE_MUTANTS, ...UNIT_MUTANTS])(
    "the mutant still applies: $name",
    (mutant) => {
      expect(mutatedFiles(PRODUCT.root, mutant)).not.toEqual([]);
    },
  );

  test("a store that takes frames out of their place is found out", async () => {
    const { problems } = await tryMutant(COMPARE_AND_SET_OFF, DAMAGE_PLAN);
    expect(problems.join("\n")).toMatch(/was due|stored more than once/);
  });
});

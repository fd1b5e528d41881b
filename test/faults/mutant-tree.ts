import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

import { type Product, productAt } from "../src/product.ts";
import type { Mutant } from "./mutants.ts";

/** What of a package's folder a built tree needs besides its dependencies, and its tests. */
const NEEDED =
  /^(?:src|test|templates|dist|node_modules|package\.json|tsconfig\.json|rolldown\.config\.mjs)(?:\/|$)/;

/**
 * The touched files as the mutant has them.
 *
 * @throws where what an edit looks for is not there exactly once
 */
export function mutatedFiles(
  root: string,
  { name, edits }: Mutant,
): ReadonlyArray<{ readonly file: string; readonly text: string }> {
  const texts = new Map<string, string>();
  for (const { file, find, replace } of edits) {
    const text = texts.get(file) ?? readFileSync(join(root, file), "utf8");
    const count = text.split(find).length - 1;
    if (count !== 1) {
      throw new Error(
        `mutant "${name}" no longer applies: ${file} holds what it looks for ${count} times`,
      );
    }
    texts.set(
      file,
      text.replace(find, () => replace),
    );
  }
  return [...texts].map(([file, text]) => ({ file, text }));
}

/** A copy of the built product with a mutant's edits applied and compiled. Disposal removes it. */
export class MutantTree implements AsyncDisposable {
  readonly product: Product;

  private constructor(root: string) {
    this.product = productAt(root);
  }

  /** @throws where an edit no longer applies or the result does not compile */
  static async grow(original: Product, mutant: Mutant): Promise<MutantTree> {
    return this.#make(original, mutant, true);
  }

  /**
   * Only the sources, for the unit tests of what is edited: what is built is the original.
   *
   * @throws where an edit no longer applies
   */
  static async sow(original: Product, mutant: Mutant): Promise<MutantTree> {
    return this.#make(original, mutant, false);
  }

  static async #make(original: Product, mutant: Mutant, isBuilt: boolean): Promise<MutantTree> {
    const tree = new MutantTree(mkdtempSync(join(tmpdir(), "sluice-mutant-")));
    try {
      tree.#copy(original.root);
      for (const { file, text } of mutatedFiles(original.root, mutant)) {
        writeFileSync(join(tree.product.root, file), text);
      }
      if (isBuilt) tree.#build(mutant);
      return tree;
    } catch (error) {
      await tree[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.product.root, { recursive: true, force: true });
  }

  #copy(from: string): void {
    const { root } = this.product;
    for (const group of ["packages", "apps"]) {
      cpSync(join(from, group), join(root, group), {
        recursive: true,
        // Workspace links are relative: in the copy they lead to the copy.
        verbatimSymlinks: true,
        // The compiler takes what is unchanged for up to date.
        preserveTimestamps: true,
        filter: (source) => {
          const [, inPackage = ""] =
            /^[^/]+\/(.+)$/.exec(relative(join(from, group), source)) ?? [];
          return inPackage === "" || NEEDED.test(inPackage);
        },
      });
    }
    cpSync(join(from, "scripts/bundle"), join(root, "scripts/bundle"), { recursive: true });
    cpSync(join(from, "tsconfig.base.json"), join(root, "tsconfig.base.json"));
    symlinkSync(join(from, "node_modules"), join(root, "node_modules"));
  }

  /** Only what was touched, whose interfaces stay the same for all others, and the programs that hold it. */
  #build({ name, edits }: Mutant): void {
    const { root } = this.product;
    const touched = edits.map(({ file }) => file.split("/").slice(0, 2).join("/"));
    const names = touched.map((folder) => manifestOf(join(root, folder)).name);
    const programs = ["apps/agent", "apps/collector"].filter((folder) =>
      names.some((each) => each in (manifestOf(join(root, folder)).dependencies ?? {})),
    );
    for (const folder of new Set([...touched, ...programs])) {
      const cwd = join(root, folder);
      const { scripts } = manifestOf(cwd);
      const bins = [cwd, root].map((at) => join(at, "node_modules/.bin"));
      const env = { ...process.env, PATH: [...bins, process.env["PATH"]].join(":") };
      const run = spawnSync(scripts.build, { cwd, env, shell: true, encoding: "utf8" });
      if (run.status !== 0) {
        throw new Error(`mutant "${name}" cannot be built:\n${run.stdout}${run.stderr}`);
      }
    }
  }
}

interface Manifest {
  readonly name: string;
  readonly scripts: { readonly build: string };
  readonly dependencies?: Readonly<Record<string, string>>;
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

import { type Product, productAt } from "../src/product.ts";
import type { Mutant } from "./mutants.ts";

/** What of a package's folder the programs are bundled of. */
const BUILT =
  /^(?:templates|node_modules|package\.json|rolldown\.config\.mjs|dist(?!.*(?:\.map|\.d\.ts)$))(?:\/|$)/;

/** And what its unit tests need. */
const TESTED = /^(?:src|test|tsconfig\.json)(?:\/|$)/;

const RELATIVE_IMPORT = /(from "\.[^"]*|import\("\.[^"]*)\.ts"/g;

interface MutatedFile {
  /** Relative to the root of the repository. */
  readonly file: string;
  readonly text: string;
}

/**
 * The touched files as the mutant has them.
 *
 * @throws where what an edit looks for is not there exactly once
 */
export function mutatedFiles(root: string, { name, edits }: Mutant): readonly MutatedFile[] {
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

/** A copy of the built product with a mutant's edits applied and built. Disposal removes it. */
export class MutantTree implements AsyncDisposable {
  readonly product: Product;

  private constructor(root: string) {
    this.product = productAt(root);
  }

  /** @throws where an edit no longer applies or the result cannot be built */
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
      tree.#copy(original.root, isBuilt);
      const files = mutatedFiles(original.root, mutant);
      if (isBuilt) tree.#build(mutant, files);
      else files.forEach(({ file, text }) => writeFileSync(join(tree.product.root, file), text));
      return tree;
    } catch (error) {
      await tree[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.product.root, { recursive: true, force: true });
  }

  #copy(from: string, isBuilt: boolean): void {
    const { root } = this.product;
    for (const group of ["packages", "apps"]) {
      cpSync(join(from, group), join(root, group), {
        recursive: true,
        // Workspace links are relative: in the copy they lead to the copy.
        verbatimSymlinks: true,
        filter: (source) => {
          const [, inPackage = ""] =
            /^[^/]+\/(.+)$/.exec(relative(join(from, group), source)) ?? [];
          return inPackage === "" || BUILT.test(inPackage) || (!isBuilt && TESTED.test(inPackage));
        },
      });
    }
    cpSync(join(from, "scripts/bundle"), join(root, "scripts/bundle"), { recursive: true });
    cpSync(join(from, "tsconfig.base.json"), join(root, "tsconfig.base.json"));
    symlinkSync(join(from, "node_modules"), join(root, "node_modules"));
  }

  /** What was touched, without its types, and the programs that hold it. Whether the types fit is nobody's concern. */
  #build(mutant: Mutant, files: readonly MutatedFile[]): void {
    const { root } = this.product;
    for (const { file, text } of files) {
      const built = file.replace("/src/", "/dist/").replace(/\.ts$/, ".js");
      const code = stripTypeScriptTypes(text).replaceAll(RELATIVE_IMPORT, '$1.js"');
      writeFileSync(join(root, built), code);
    }
    const names = mutant.edits.map(({ file }) => {
      const [group = "", name = ""] = file.split("/");
      return manifestOf(join(root, group, name)).name;
    });
    for (const program of ["apps/agent", "apps/collector"]) {
      const cwd = join(root, program);
      const { name, dependencies = {}, scripts } = manifestOf(cwd);
      if (!names.some((each) => each === name || each in dependencies)) continue;
      const [, bundle = ""] = scripts.build.split("&&");
      const bins = [cwd, root].map((at) => join(at, "node_modules/.bin"));
      const env = { ...process.env, PATH: [...bins, process.env["PATH"]].join(":") };
      const run = spawnSync(bundle, { cwd, env, shell: true, encoding: "utf8" });
      if (run.status !== 0) {
        throw new Error(`mutant "${mutant.name}" cannot be built:\n${run.stdout}${run.stderr}`);
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

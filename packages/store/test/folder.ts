import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder for one test. */
export class Folder implements Disposable {
  readonly path: string;

  constructor(parent: string = tmpdir()) {
    this.path = mkdtempSync(join(parent, "sluice-store-"));
  }

  /** In memory where the system has a place for it: an fsync of a property test is time lost. */
  static inMemory(): Folder {
    return new Folder(existsSync("/dev/shm") ? "/dev/shm" : undefined);
  }

  at(name: string): string {
    return join(this.path, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

import { closeSync, ftruncateSync, mkdirSync, openSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import type { Prng } from "../corpus/prng.ts";
import type { DiskEvent } from "./disk-trace.ts";
import { applied, type FileChange, scattered, torn } from "./file-change.ts";

/** A change of a folder's entries; a rename within it is one. */
interface FolderChange {
  readonly remove: string | undefined;
  readonly add: readonly [name: string, node: Node] | undefined;
  readonly endedAt: number;
}

interface FileNode {
  readonly kind: "file";
  durable: Buffer;
  pending: FileChange[];
  /** Where the next write goes that names no place. */
  end: number;
}

interface FolderNode {
  readonly kind: "folder";
  durable: Map<string, Node>;
  pending: FolderChange[];
  /** As the process sees it. */
  readonly entries: Map<string, Node>;
}

type Node = FileNode | FolderNode;

/**
 * How much of what was not synced has reached the disk when the power goes:
 * - `nothing`, `everything`
 * - `prefix`: of each file and folder the first changes, the last of them torn between sectors
 * - `scatter`: of each file any sectors; of each folder the first changes, as a journal keeps them
 */
export const LOSSES = ["nothing", "everything", "prefix", "scatter"] as const;

export type Loss = (typeof LOSSES)[number];

/**
 * What a disk is sure to hold, and what it may hold: no more than POSIX promises. A file's bytes are
 * durable when the file was synced since, its name when its folder was.
 */
export class DiskModel {
  readonly #root: string;
  readonly #top: FolderNode = folder();

  /** @param root a folder that is there for good; what lies elsewhere is left out */
  constructor(root: string) {
    this.#root = root;
  }

  apply(event: DiskEvent): void {
    if (
      event.kind === "said" ||
      (!event.path.startsWith(`${this.#root}/`) && event.path !== this.#root)
    ) {
      return;
    }
    switch (event.kind) {
      case "create":
        if (this.#find(event.path) === undefined) {
          this.#add(
            event.path,
            { kind: "file", durable: Buffer.alloc(0), pending: [], end: 0 },
            event,
          );
        }
        return;
      case "make-folder":
        this.#add(event.path, folder(), event);
        return;
      case "write":
      case "cut": {
        const node = this.#find(event.path);
        if (node?.kind === "file") {
          const offset = event.kind === "write" ? (event.offset ?? node.end) : 0;
          const placed = event.kind === "write" ? { ...event, offset } : event;
          node.pending.push(placed);
          node.end = event.kind === "write" ? offset + event.bytes.length : node.end;
        }
        return;
      }
      case "link": {
        const node = this.#find(event.path);
        if (node !== undefined && event.to.startsWith(`${this.#root}/`)) {
          this.#add(event.to, node, event);
        }
        return;
      }
      case "rename":
        this.#rename(event.path, event.to, event.endedAt);
        return;
      case "unlink":
        this.#change(event.path, {
          remove: basename(event.path),
          add: undefined,
          endedAt: event.endedAt,
        });
        return;
      case "sync":
        this.#sync(event.path, event.begunAt);
        return;
      default:
        event satisfies never;
    }
  }

  /** Writes a state that the disk may be found in to a folder, in the place of the root. */
  materialize(target: string, loss: Loss, random: Prng): void {
    // A file with two names is one file.
    writeFolder(this.#top, target, loss, random);
  }

  #sync(path: string, begunAt: number): void {
    const node = path === this.#root ? this.#top : this.#find(path);
    if (node?.kind === "file") {
      const [done, later] = split(node.pending, begunAt);
      node.durable = done.reduce((bytes, change) => applied(bytes, change), node.durable);
      node.pending = later;
    } else if (node?.kind === "folder") {
      const [done, later] = split(node.pending, begunAt);
      node.durable = entriesAfter(node.durable, done);
      node.pending = later;
    }
  }

  #add(path: string, node: Node, { endedAt }: { readonly endedAt: number }): void {
    this.#change(path, { remove: undefined, add: [basename(path), node], endedAt });
  }

  #rename(path: string, to: string, endedAt: number): void {
    const node = this.#find(path);
    if (node === undefined) {
      return;
    }
    if (dirname(path) === dirname(to)) {
      this.#change(to, { remove: basename(path), add: [basename(to), node], endedAt });
    } else {
      this.#change(to, { remove: undefined, add: [basename(to), node], endedAt });
      this.#change(path, { remove: basename(path), add: undefined, endedAt });
    }
  }

  #change(path: string, change: FolderChange): void {
    const parent = this.#find(dirname(path));
    if (parent?.kind !== "folder") {
      throw new Error(`${path}: its folder was never made`);
    }
    parent.pending.push(change);
    applyTo(parent.entries, change);
  }

  #find(path: string): Node | undefined {
    const names = path.slice(this.#root.length).split("/").filter(Boolean);
    let node: Node | undefined = this.#top;
    for (const name of names) {
      node = node?.kind === "folder" ? node.entries.get(name) : undefined;
    }
    return node;
  }
}

function folder(): FolderNode {
  return { kind: "folder", durable: new Map(), pending: [], entries: new Map() };
}

/** Those that had ended when a sync began are durable with it. */
function split<T extends { readonly endedAt: number }>(
  changes: readonly T[],
  at: number,
): [T[], T[]] {
  return [
    changes.filter(({ endedAt }) => endedAt < at),
    changes.filter(({ endedAt }) => endedAt >= at),
  ];
}

function writeFolder(node: FolderNode, target: string, loss: Loss, random: Prng): void {
  mkdirSync(target, { recursive: true, mode: 0o700 });
  const kept = node.pending.slice(0, countKept(node.pending.length, loss, random));
  for (const [name, entry] of entriesAfter(node.durable, kept)) {
    const path = join(target, name);
    if (entry.kind === "folder") {
      writeFolder(entry, path, loss, random);
    } else if (!name.endsWith("-shm")) {
      writeFile(entry, path, loss, random);
    }
  }
}

function writeFile(node: FileNode, path: string, loss: Loss, random: Prng): void {
  let bytes = node.durable;
  const kept =
    loss === "scatter" ? node.pending.length : countKept(node.pending.length, loss, random);
  for (const [index, change] of node.pending.slice(0, kept).entries()) {
    if (loss === "scatter") {
      bytes = scattered(bytes, change, random);
    } else if (loss === "prefix" && index === kept - 1) {
      bytes = applied(bytes, torn(change, random));
    } else {
      bytes = applied(bytes, change);
    }
  }
  const file = openSync(path, "w", 0o600);
  writeSync(file, bytes);
  ftruncateSync(file, bytes.length);
  closeSync(file);
}

function countKept(count: number, loss: Loss, random: Prng): number {
  switch (loss) {
    case "nothing":
      return 0;
    case "everything":
      return count;
    case "prefix":
    case "scatter":
      return random.below(count + 1);
    default:
      return loss satisfies never;
  }
}

function entriesAfter(
  entries: ReadonlyMap<string, Node>,
  changes: readonly FolderChange[],
): Map<string, Node> {
  const after = new Map(entries);
  for (const change of changes) {
    applyTo(after, change);
  }
  return after;
}

function applyTo(entries: Map<string, Node>, { remove, add }: FolderChange): void {
  if (remove !== undefined) {
    entries.delete(remove);
  }
  if (add !== undefined) {
    entries.set(...add);
  }
}

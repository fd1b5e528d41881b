import { nextManifestVersion } from "../manifest/manifest.ts";
import type { HeadDatabase } from "./head-file.ts";

/** Which records are to go: those that match and were received up to now. */
export interface DeleteOrder {
  /** In the query language; a filter without stages, checked by the caller. */
  readonly query: string;
  /** Event times: inclusive, and exclusive. */
  readonly fromUs: number | undefined;
  readonly untilUs: number | undefined;
  /** Only what was received up to then, where that is earlier than now: what somebody has looked at. */
  readonly receivedUs?: number | undefined;
  readonly issuedUs: number;
}

export interface IssuedDelete {
  readonly id: number;
  /** Only what was received up to then goes. */
  readonly receivedUs: number;
}

/** Where the last receipt time is known. */
interface Receipts {
  closeReceipts(): number;
}

/**
 * Hides the records of a delete at once; a job takes them out of the files. Until it has, the writer
 * overwrites whatever it frees: SQLite leaves the bytes of a payload in the pages that it gives up, and
 * some of those in the file. Always to do so would write each payload once more than it is worth.
 */
export class DeleteIssuer {
  readonly #db: HeadDatabase;
  readonly #receipts: Receipts;

  constructor(db: HeadDatabase, receipts: Receipts) {
    this.#db = db;
    this.#receipts = receipts;
    this.setOverwriting();
  }

  /** Whether deletes were issued whose records are still in the files. */
  get hasUndone(): boolean {
    const row: unknown = this.#db
      .prepare("SELECT 1 FROM deletes WHERE done_version IS NULL LIMIT 1")
      .get();
    return row !== undefined;
  }

  issue({ query, fromUs, untilUs, receivedUs, issuedUs }: DeleteOrder): IssuedDelete {
    const closedUs = this.#receipts.closeReceipts();
    const upToUs = Math.min(receivedUs ?? closedUs, closedUs);
    const id = this.#db
      .transaction(() =>
        this.#db
          .prepare(
            `INSERT INTO deletes (query, from_us, until_us, received_us, issued_us, issued_version)
             VALUES (?, ?, ?, ?, ?, ?)`,
          )
          .run(
            query,
            fromUs ?? null,
            untilUs ?? null,
            upToUs,
            issuedUs,
            nextManifestVersion(this.#db),
          ),
      )
      .immediate().lastInsertRowid;
    this.setOverwriting();
    return { id: Number(id), receivedUs: upToUs };
  }

  /**
   * To be called when a delete is issued or done. One that awaits what agents send again stays undone for
   * days, and is no reason.
   */
  setOverwriting(): void {
    const isOverwriting: unknown = this.#db
      .prepare("SELECT 1 FROM deletes WHERE done_version IS NULL AND is_replay = 0 LIMIT 1")
      .get();
    this.#db.pragma(`secure_delete = ${isOverwriting === undefined ? "FAST" : "ON"}`);
  }
}

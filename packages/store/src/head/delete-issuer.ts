import { nextManifestVersion } from "../manifest/manifest.ts";
import type { HeadDatabase } from "./head-file.ts";

/** Which records are to go: those that match and were received up to now. */
export interface DeleteOrder {
  /** In the query language; a filter without stages, checked by the caller. */
  readonly query: string;
  /** Event times: inclusive, and exclusive. */
  readonly fromUs: number | undefined;
  readonly untilUs: number | undefined;
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

/** Hides the records of a delete at once; a job takes them out of the files. */
export class DeleteIssuer {
  readonly #db: HeadDatabase;
  readonly #receipts: Receipts;

  constructor(db: HeadDatabase, receipts: Receipts) {
    this.#db = db;
    this.#receipts = receipts;
  }

  issue({ query, fromUs, untilUs, issuedUs }: DeleteOrder): IssuedDelete {
    const receivedUs = this.#receipts.closeReceipts();
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
            receivedUs,
            issuedUs,
            nextManifestVersion(this.#db),
          ),
      )
      .immediate().lastInsertRowid;
    return { id: Number(id), receivedUs };
  }
}

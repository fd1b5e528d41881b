import type { SegmentRun } from "../segment/segment-file.ts";
import { type DoctorCheck, Findings } from "./doctor-report.ts";
import type { ManifestSnapshot, StreamAccount } from "./manifest-snapshot.ts";
import { SeqSet } from "./seq-set.ts";

interface Tally {
  readonly account: StreamAccount;
  readonly seqs: SeqSet;
  records: number;
  twice: number;
  highest: number;
}

/**
 * Follows the records of each stream over the head and all segments: as many as were stored and not
 * removed, each sequence number once, and all below the next one.
 */
export class StreamCheck {
  readonly #tallies: ReadonlyMap<number, Tally>;
  #runs = 0;
  #strangers = 0;

  constructor({ streams, batches, segments }: ManifestSnapshot) {
    this.#tallies = new Map(
      streams.map((account) => [
        account.id,
        { account, seqs: new SeqSet(), records: 0, twice: 0, highest: -1 },
      ]),
    );
    for (const { streamId, firstSeq, count } of batches) {
      this.#count(streamId, count);
      this.addRange(streamId, firstSeq, firstSeq + count - 1);
    }
    // As the manifest counts them: that a segment holds what it says is another check.
    for (const { streams: shares } of segments) {
      for (const { streamId, records } of shares) {
        this.#count(streamId, records);
      }
    }
  }

  /** A run of a segment, of which only its list was read: a run with gaps may lie between the records of another. */
  addListed({ streamId, firstSeq, lastSeq, count }: SegmentRun): void {
    if (lastSeq - firstSeq + 1 === count) {
      this.addRange(streamId, firstSeq, lastSeq);
    } else {
      this.#reach(streamId, lastSeq);
    }
  }

  addRange(streamId: number, first: number, last: number): void {
    const tally = this.#reach(streamId, last);
    if (tally !== undefined) {
      tally.twice += tally.seqs.add({ first, last });
    }
  }

  addAll(streamId: number, seqs: Float64Array): void {
    const tally = this.#reach(streamId, seqs.at(-1) ?? -1);
    if (tally !== undefined) {
      tally.twice += tally.seqs.add(seqs);
    }
  }

  counts(): DoctorCheck {
    const findings = new Findings("streams");
    let records = 0;
    for (const { account, records: found } of this.#tallies.values()) {
      const expected = account.records - account.removedRecords;
      records += found;
      if (found !== expected) {
        const difference = found < expected ? `${expected - found} are missing` : `too many`;
        findings.problem(`${account.name}: ${found} records instead of ${expected}, ${difference}`);
      }
    }
    if (this.#strangers > 0) {
      findings.problem(`${this.#strangers} runs are of streams that the head does not know`);
    }
    return findings.done(`${this.#tallies.size} streams, ${records} records`);
  }

  sequences(): DoctorCheck {
    const findings = new Findings("sequences");
    for (const { account, twice, highest } of this.#tallies.values()) {
      if (twice > 0) {
        findings.problem(`${account.name}: ${twice} sequence numbers are there twice`);
      }
      if (highest >= account.nextSeq) {
        findings.problem(
          `${account.name}: holds number ${highest}, and the next one is to be ${account.nextSeq}`,
        );
      }
    }
    return findings.done(`${this.#runs} runs`);
  }

  #reach(streamId: number, last: number): Tally | undefined {
    this.#runs += 1;
    const tally = this.#tallies.get(streamId);
    if (tally === undefined) {
      this.#strangers += 1;
      return undefined;
    }
    tally.highest = Math.max(tally.highest, last);
    return tally;
  }

  #count(streamId: number, records: number): void {
    const tally = this.#tallies.get(streamId);
    if (tally !== undefined) {
      tally.records += records;
    }
  }
}

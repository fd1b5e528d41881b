import { hidesWords, type Proposal, type RecordFilter, type StreamIdentity } from "@sluice/query";

import type { OpenRun } from "./open-run.ts";
import type { CachedBlock } from "./run-reader.ts";

/** Blocks whose places are remembered: the runs of a shared block come one by one. */
const REMEMBERED_BLOCKS = 32;

/** Records of a block, ascending, that one of the filter's proposals has found: which one depends on the stream. */
interface Proposed {
  readonly proposal: Proposal;
  readonly records: readonly number[];
}

/**
 * Scans the text of blocks as it is stored, timestamps left out and lines grouped. It only proposes
 * records; each is verified on its own exact body, but where the filter is nothing but texts.
 */
export class EncodedScan {
  readonly #filter: RecordFilter;
  readonly #proposed = new Map<CachedBlock, Proposed>();

  constructor(filter: RecordFilter) {
    this.#filter = filter;
  }

  /**
   * Indices of the run's matching records for which `isWanted` holds, ascending. Undefined where the
   * stored text cannot tell: a text that is looked for may stand in a timestamp that was left out.
   */
  scan(
    stream: StreamIdentity,
    open: OpenRun,
    isWanted: (index: number) => boolean,
  ): number[] | undefined {
    const { proposal: any, plainProposal } = this.#filter;
    if (any === undefined && plainProposal === undefined) {
      return undefined;
    }
    const encoded = open.encoded();
    if (encoded === undefined) {
      return undefined;
    }
    const { block, text, from } = encoded;
    const canPropose = ({ bodyFields, texts }: Proposal): boolean =>
      (bodyFields.length === 0 ||
        (!text.hasAttributes && !bodyFields.some((name) => Object.hasOwn(stream.labels, name)))) &&
      !texts.some(({ text: wanted, anyCase }) =>
        text.mayTouchTimestamp(Buffer.from(wanted), anyCase),
      );
    const isPlain =
      plainProposal !== undefined && canPropose(plainProposal) && !hidesWords(text.bytes);
    const proposal = isPlain ? plainProposal : any;
    if (proposal === undefined || (!isPlain && !canPropose(proposal))) {
      return undefined;
    }
    const places = this.#placesOf(block, text, proposal);
    const indices = places
      .map((record) => record - from)
      .filter((index) => index >= 0 && index < open.count && isWanted(index));
    if (proposal.matchesAt !== undefined || indices.length === 0) {
      return indices;
    }
    const columns = open.gather(indices);
    return columns === undefined
      ? undefined
      : indices.filter((_, at) => this.#filter.matches(stream, columns, at));
  }

  /** Records of the block, ascending, that a text was found in. */
  #placesOf(
    block: CachedBlock,
    text: {
      readonly bytes: Buffer;
      recordAt(place: number): number;
      lineEnd(place: number): number;
    },
    proposal: Proposal,
  ): readonly number[] {
    const known = this.#proposed.get(block);
    if (known?.proposal === proposal) {
      return known.records;
    }
    const { proposer, matchesAt } = proposal;
    const propose = proposer.over(text.bytes);
    const records: number[] = [];
    for (let place = propose(0); place !== -1;) {
      if (matchesAt !== undefined && !matchesAt(text.bytes, place)) {
        place = propose(place + 1);
        continue;
      }
      records.push(text.recordAt(place));
      // One place is enough for a record: on to the next line.
      place = propose(text.lineEnd(place));
    }
    records.sort((a, b) => a - b);
    this.#proposed.set(block, { proposal, records });
    for (const oldest of this.#proposed.keys()) {
      if (this.#proposed.size <= REMEMBERED_BLOCKS) {
        break;
      }
      this.#proposed.delete(oldest);
    }
    return records;
  }
}

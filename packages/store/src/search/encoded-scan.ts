import { hidesWords, type Proposal, type RecordFilter, type StreamIdentity } from "@sluice/query";

import type { BlockText } from "../block/block-text.ts";
import type { CachedBlock, OpenRun } from "./open-run.ts";

interface Proposed {
  readonly proposal: Proposal;
  readonly records: readonly number[];
  readonly isExact: boolean;
}

/** Blocks whose places are remembered: the runs of a shared block come one by one. */
const REMEMBERED_BLOCKS = 32;

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
   * Indices of the run's matching records for which `isWanted` holds (undefined: all), ascending.
   * Undefined where each record has to be looked at.
   */
  scan(
    stream: StreamIdentity,
    open: OpenRun,
    isWanted: ((index: number) => boolean) | undefined,
  ): readonly number[] | undefined {
    const { proposal: any, plainProposal } = this.#filter;
    if (any === undefined && plainProposal === undefined) {
      return undefined;
    }
    const encoded = open.encoded();
    if (encoded === undefined) {
      return undefined;
    }
    const { block, text, from } = encoded;
    const proposal = [plainProposal, any].find(
      (one) =>
        one !== undefined &&
        isComplete(one, stream, text) &&
        (one !== plainProposal || !hidesWords(text.bytes)),
    );
    if (proposal === undefined) {
      return undefined;
    }
    const proposed = this.#proposedOf(block, text, proposal);
    const end = from + open.count;
    const indices =
      from === 0 && end === block.index.count && isWanted === undefined
        ? proposed.records
        : proposed.records
            .filter((record) => record >= from && record < end)
            .map((record) => record - from)
            .filter((index) => isWanted === undefined || isWanted(index));
    if (proposed.isExact || indices.length === 0) {
      return indices;
    }
    const columns = open.gather(indices);
    return columns === undefined
      ? undefined
      : indices.filter((_, at) => this.#filter.matches(stream, columns, at));
  }

  #proposedOf(block: CachedBlock, text: BlockText, proposal: Proposal): Proposed {
    const known = this.#proposed.get(block);
    if (known !== undefined && known.proposal === proposal) {
      return known;
    }
    const proposed = propose(text, proposal);
    this.#proposed.set(block, proposed);
    for (const oldest of this.#proposed.keys()) {
      if (this.#proposed.size <= REMEMBERED_BLOCKS) {
        break;
      }
      this.#proposed.delete(oldest);
    }
    return proposed;
  }
}

/** What an attribute or a label may hold is not in the text. */
function isComplete(
  { bodyFields }: Proposal,
  { labels }: StreamIdentity,
  text: BlockText,
): boolean {
  return (
    bodyFields.length === 0 ||
    (!text.hasAttributes && !bodyFields.some((name) => Object.hasOwn(labels, name)))
  );
}

/** Records of a block, ascending, that may match; exact where no more has to be looked at. */
function propose(text: BlockText, proposal: Proposal): Proposed {
  const touching = proposal.texts
    .map(({ text: wanted, anyCase }) => ({ wanted: Buffer.from(wanted), anyCase }))
    .filter(({ wanted, anyCase }) => text.mayTouchTimestamp(wanted, anyCase))
    .map(({ wanted, anyCase }) => text.recordsTouching(wanted, anyCase))
    .filter(({ length }) => length > 0);
  // What touches a timestamp has to be looked at as it is rendered.
  const isExact = proposal.matchesAt !== undefined && touching.length === 0;
  const found = recordsWith(text, proposal.proposer, isExact ? proposal.matchesAt : undefined);
  const records =
    touching.length === 0 ? found : [...new Set([found, ...touching].flatMap((one) => [...one]))];
  return { proposal, isExact, records: records.sort((a, b) => a - b) };
}

/** Records that a text was found in. */
function recordsWith(
  text: BlockText,
  proposer: Proposal["proposer"],
  matchesAt: Proposal["matchesAt"],
): number[] {
  const next = proposer.over(text.bytes);
  const records: number[] = [];
  for (let place = next(0); place !== -1;) {
    if (matchesAt !== undefined && !matchesAt(text.bytes, place)) {
      place = next(place + 1);
      continue;
    }
    records.push(text.recordAt(place));
    // One place is enough for a record: on to the next line.
    place = next(text.lineEnd(place));
  }
  return records;
}

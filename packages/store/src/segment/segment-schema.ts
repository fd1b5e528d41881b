/**
 * A segment: an immutable SQLite file of blocks, of one partition and one UTC day of receipt. It
 * describes itself: with the names of its streams the manifest can be made again from the files alone.
 *
 * - `blocks`: about 1 MiB of records each; `idx` and `content` are what block/block-codec.ts writes.
 * - `dictionaries`: text, compressed with zstd, that the content of some blocks is compressed against. It
 *   is made of lines of the block `source`, and of no other: where one of those goes, so does it.
 * - `runs`: records of one stream that lie together in a block, `from_record` being the first of them
 *   there. Everything that planning asks, so that it reads no BLOB. `severity_counts` is JSON:
 *   [severity, count, severity, count, ...].
 * - `meta.layouts`: JSON, how the timestamps are written that are not in the text of the blocks.
 * - `meta.origin`: JSON of `{job, outputs, replaces}`. Where all outputs of a job are there, the segments
 *   that they replace no longer count: their files may outlive them for the sake of a reader.
 * - `filter_buckets`: the token filter of all blocks, its directory being `meta.filter`; see token-filter/.
 */
export const SEGMENT_SCHEMA_VERSION = 1;

/** Marks the file as ours ("Slsg"). */
export const SEGMENT_APPLICATION_ID = 0x536c7367;

/** A block is some tens of KiB: larger pages than the head's make for less overhead in reading one. */
export const SEGMENT_PAGE_BYTES = 4096;

/** What a file takes however little is in it: about a page for each table. It goes with the last of its streams. */
export const SEGMENT_BASE_BYTES: number = 6 * SEGMENT_PAGE_BYTES;

/** Bits of `blocks.traits`: what keeps the words of a block from telling its fields. */
export const HAS_ATTRIBUTES = 1;
export const HIDES_WORDS = 2;

export const SEGMENT_SCHEMA = `
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE streams (
  id         INTEGER PRIMARY KEY,
  agent_id   TEXT NOT NULL,
  source     TEXT NOT NULL,
  generation INTEGER NOT NULL,
  host       TEXT NOT NULL,
  labels     TEXT NOT NULL
) STRICT;

CREATE TABLE blocks (
  id                INTEGER PRIMARY KEY,
  records           INTEGER NOT NULL,
  raw_bytes         INTEGER NOT NULL,
  index_raw_bytes   INTEGER NOT NULL,
  content_raw_bytes INTEGER NOT NULL,
  level             INTEGER NOT NULL,
  traits            INTEGER NOT NULL,
  dictionary        INTEGER REFERENCES dictionaries (id),
  idx               BLOB NOT NULL,
  content           BLOB NOT NULL
) STRICT;

CREATE TABLE dictionaries (
  id     INTEGER PRIMARY KEY,
  source INTEGER NOT NULL REFERENCES blocks (id),
  bytes  BLOB NOT NULL
) STRICT;

CREATE TABLE runs (
  id                INTEGER PRIMARY KEY,
  block             INTEGER NOT NULL,
  stream            INTEGER NOT NULL,
  from_record       INTEGER NOT NULL,
  count             INTEGER NOT NULL,
  first_seq         INTEGER NOT NULL,
  last_seq          INTEGER NOT NULL,
  min_time_us       INTEGER NOT NULL,
  max_time_us       INTEGER NOT NULL,
  first_received_us INTEGER NOT NULL,
  last_received_us  INTEGER NOT NULL,
  first_batch       INTEGER NOT NULL,
  last_batch        INTEGER NOT NULL,
  severities        INTEGER NOT NULL,
  severity_counts   TEXT NOT NULL,
  body_bytes        INTEGER NOT NULL
) STRICT;

CREATE TABLE filter_buckets (
  id    INTEGER PRIMARY KEY,
  bytes BLOB NOT NULL
) STRICT;
`;

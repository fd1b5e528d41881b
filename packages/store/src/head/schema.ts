/**
 * The tables of `head.db`: the collector's write-ahead database, and the manifest of its segments.
 * One row of `batches` is one batch as it came over the wire: the payload stays compressed, nothing
 * is stored line by line.
 *
 * `user_version` counts the shape of this file; an older one is brought forward when it is opened for
 * writing (`migration.ts`), a newer one is refused, never guessed at.
 *
 * - 1: agents, streams, batches, gaps, jobs.
 * - 2: segments and their streams, removals of batches, deletes, backups; what of a stream was removed, and
 *   whether it was rebuilt.
 * - 3: of a gap, when its agent noticed it, and how many records it is known to be.
 */
export const HEAD_SCHEMA_VERSION = 3;

/** Marks the file as ours ("Slce"), so that another SQLite database is never taken for a head. */
export const HEAD_APPLICATION_ID = 0x536c6365;

/** Written with 4 KiB pages: a tiny commit costs 11 KB of WAL against 20 KB with 8 KiB pages, a bulk one 15 % more CPU. */
export const HEAD_PAGE_BYTES = 4096;

/**
 * The manifest. `added` and `removed` are manifest versions (`meta.manifest_version`): what a reader
 * sees is what was added at or before its version and not removed at or before it. What was removed
 * stays where it is until no lease needs it.
 */
export const MANIFEST_SCHEMA: string = `
-- path is relative to data_dir. Times of receipt and batch ids are those of its records.
CREATE TABLE segments (
  id                INTEGER PRIMARY KEY AUTOINCREMENT,
  partition         TEXT NOT NULL,
  day               TEXT NOT NULL,
  path              TEXT NOT NULL UNIQUE,
  bytes             INTEGER NOT NULL,
  level             INTEGER NOT NULL,
  blocks            INTEGER NOT NULL,
  records           INTEGER NOT NULL,
  body_bytes        INTEGER NOT NULL,
  raw_bytes         INTEGER NOT NULL,
  min_time_us       INTEGER NOT NULL,
  max_time_us       INTEGER NOT NULL,
  first_received_us INTEGER NOT NULL,
  last_received_us  INTEGER NOT NULL,
  first_batch       INTEGER NOT NULL,
  last_batch        INTEGER NOT NULL,
  severities        INTEGER NOT NULL,
  added             INTEGER NOT NULL,
  removed           INTEGER
) STRICT;

CREATE TABLE segment_streams (
  segment           INTEGER NOT NULL REFERENCES segments (id),
  stream            INTEGER NOT NULL REFERENCES streams (id),
  records           INTEGER NOT NULL,
  body_bytes        INTEGER NOT NULL,
  bytes             INTEGER NOT NULL,
  first_received_us INTEGER NOT NULL,
  last_received_us  INTEGER NOT NULL,
  severities        INTEGER NOT NULL,
  PRIMARY KEY (segment, stream)
) STRICT, WITHOUT ROWID;

-- Ranges of batch ids. Not a column of batches: SQLite would write each payload again to set it.
CREATE TABLE batch_removals (
  first_batch INTEGER NOT NULL,
  last_batch  INTEGER NOT NULL,
  version     INTEGER NOT NULL,
  PRIMARY KEY (first_batch, last_batch, version)
) STRICT, WITHOUT ROWID;

-- Files that a job is about to name. Where it did not come to its swap, they are no part of the store:
-- the sweep at start unlinks them. Other files that it does not know are somebody's logs.
CREATE TABLE announced_segments (
  path TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE VIEW live_batches AS SELECT * FROM batches WHERE NOT EXISTS (
  SELECT 1 FROM batch_removals WHERE batches.id BETWEEN first_batch AND last_batch);

-- Matching records received up to received_us are hidden from issued_version on, and gone from the
-- files when done_version is set.
CREATE TABLE deletes (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  query          TEXT NOT NULL,
  from_us        INTEGER,
  until_us       INTEGER,
  received_us    INTEGER NOT NULL,
  issued_us      INTEGER NOT NULL,
  issued_version INTEGER NOT NULL,
  done_version   INTEGER,
  -- 1: made by a restore, of another delete, for what agents send again. Its received_us lies ahead.
  is_replay      INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Folders that deletes are told to. A partial path is that of a backup being made: the next start removes it.
CREATE TABLE backups (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  path        TEXT NOT NULL,
  partial     TEXT,
  taken_us    INTEGER NOT NULL,
  -- Highest id of a delete that it knows by itself.
  last_delete INTEGER NOT NULL
) STRICT;
`;

export const HEAD_SCHEMA: string = `
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE agents (
  id            INTEGER PRIMARY KEY,
  agent_id      TEXT NOT NULL UNIQUE,
  host          TEXT NOT NULL,
  version       TEXT NOT NULL,
  labels        TEXT NOT NULL,
  first_seen_us INTEGER NOT NULL,
  last_seen_us  INTEGER NOT NULL
) STRICT;

-- epoch, ordinal, next_seq and cursor are what an append is compared with (compare-and-set).
CREATE TABLE streams (
  id               INTEGER PRIMARY KEY,
  agent            INTEGER NOT NULL REFERENCES agents (id),
  source           TEXT NOT NULL,
  generation       INTEGER NOT NULL,
  host             TEXT NOT NULL,
  labels           TEXT NOT NULL,
  epoch            INTEGER NOT NULL,
  ordinal          INTEGER NOT NULL,
  next_seq         INTEGER NOT NULL,
  cursor           BLOB NOT NULL,
  finished         INTEGER NOT NULL DEFAULT 0,
  records          INTEGER NOT NULL DEFAULT 0,
  body_bytes       INTEGER NOT NULL DEFAULT 0,
  filtered_records INTEGER NOT NULL DEFAULT 0,
  filtered_bytes   INTEGER NOT NULL DEFAULT 0,
  gaps             INTEGER NOT NULL DEFAULT 0,
  last_time_us     INTEGER,
  last_received_us INTEGER,
  removed_records  INTEGER NOT NULL DEFAULT 0,
  -- 1: made again from segments, so that the cursor is not known: the agent brings its own.
  is_rebuilt       INTEGER NOT NULL DEFAULT 0,
  UNIQUE (agent, source, generation)
) STRICT;

-- AUTOINCREMENT: an id is a place in the order of arrival and is never used twice, so that a
-- follower can say "everything after this one" across a prune.
CREATE TABLE batches (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  stream      INTEGER NOT NULL REFERENCES streams (id),
  first_seq   INTEGER NOT NULL,
  count       INTEGER NOT NULL,
  min_time_us INTEGER NOT NULL,
  max_time_us INTEGER NOT NULL,
  received_us INTEGER NOT NULL,
  severities  INTEGER NOT NULL,
  body_bytes  INTEGER NOT NULL,
  raw_bytes   INTEGER NOT NULL,
  payload     BLOB NOT NULL
) STRICT;

CREATE TABLE gaps (
  id          INTEGER PRIMARY KEY,
  stream      INTEGER NOT NULL REFERENCES streams (id),
  seq         INTEGER NOT NULL,
  cause       TEXT NOT NULL,
  range       TEXT NOT NULL,
  detail      TEXT NOT NULL,
  received_us INTEGER NOT NULL,
  -- By the agent's clock; null where no agent said it.
  noticed_us  INTEGER,
  -- 0 where the number is not known.
  records     INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE jobs (
  id          INTEGER PRIMARY KEY,
  kind        TEXT NOT NULL,
  due_us      INTEGER NOT NULL,
  started_us  INTEGER NOT NULL,
  took_ms     INTEGER NOT NULL,
  outcome     TEXT NOT NULL,
  detail      TEXT NOT NULL
) STRICT;

${MANIFEST_SCHEMA}`;

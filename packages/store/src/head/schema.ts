/**
 * The tables of `head.db`, the collector's write-ahead database. One row of `batches` is one batch
 * as it came over the wire: the payload stays compressed, nothing is stored line by line.
 *
 * `user_version` counts the shape of this file; a database of a newer one is refused, never guessed at.
 */
export const HEAD_SCHEMA_VERSION = 1;

/** Marks the file as ours ("Slce"), so that another SQLite database is never taken for a head. */
export const HEAD_APPLICATION_ID = 0x536c6365;

/** Written with 4 KiB pages: a tiny commit costs 11 KB of WAL against 20 KB with 8 KiB pages, a bulk one 15 % more CPU. */
export const HEAD_PAGE_BYTES = 4096;

export const HEAD_SCHEMA = `
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
  removed     INTEGER,
  payload     BLOB NOT NULL
) STRICT;

CREATE TABLE gaps (
  id          INTEGER PRIMARY KEY,
  stream      INTEGER NOT NULL REFERENCES streams (id),
  seq         INTEGER NOT NULL,
  cause       TEXT NOT NULL,
  range       TEXT NOT NULL,
  detail      TEXT NOT NULL,
  received_us INTEGER NOT NULL
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
`;

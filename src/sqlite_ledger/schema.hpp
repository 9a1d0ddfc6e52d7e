#ifndef OCRPIPE_SRC_SQLITE_LEDGER_SCHEMA_HPP
#define OCRPIPE_SRC_SQLITE_LEDGER_SCHEMA_HPP

namespace ocrpipe::detail
{

/// "ocrp", in the header of the database: identifies it to this library and to file(1).
inline constexpr int ledger_application_id = 0x6f637270;

/// The user_version in the header. Increment it when the tables change.
inline constexpr int ledger_schema_version = 3;

/// The comments are inside the statements, so that `.schema` in the sqlite3 shell shows them. Ledgers of
/// earlier versions keep their text, which is never compared.
inline constexpr char ledger_schema[] = R"sql(
CREATE TABLE document(
  -- One row for each document that ocrpipe run admitted. Times are milliseconds since 1970, UTC.
  -- id and path are text, or a blob if they are not valid UTF-8.
  number INTEGER PRIMARY KEY, -- in the order of first admission
  -- state is new, intent, submitted, done, failed, ambiguous, stuck, expired, lost or skipped.
  state TEXT NOT NULL,
  id TEXT NOT NULL UNIQUE,    -- from the manifest, or the path
  path TEXT,                  -- of the file; null if it equals id
  sha256 BLOB NOT NULL,       -- of the content
  size INTEGER NOT NULL,      -- bytes
  mtime INTEGER NOT NULL,     -- of the file, nanoseconds since 1970
  flow TEXT NOT NULL,
  doc_type TEXT NOT NULL,
  file_type TEXT NOT NULL,    -- PDF or IMAGE; empty if detected from the first bytes
  parameters TEXT NOT NULL,   -- fingerprint of flow, doc_type, file_type and extra fields
  request_id TEXT,            -- of the job, which was paid for; it is polled and never resubmitted
  file_ids TEXT,              -- from the service, as a JSON array
  attempts INTEGER NOT NULL DEFAULT 0,           -- submits sent
  polls INTEGER NOT NULL DEFAULT 0,
  possible_duplicate INTEGER NOT NULL DEFAULT 0, -- sent again after an ambiguous submit; may be billed twice
  duplicate_of TEXT,          -- if skipped: id of the document whose result this one shares
  failure_class TEXT,         -- such as rejected or ambiguous_submit; null if nothing failed
  message TEXT,               -- what failed, human-readable
  -- The last result is this line of results-0000N.jsonl, N being result_file. The location is kept when the
  -- document is sent again, so that the line does not seem unrecorded.
  result_file INTEGER,
  result_offset INTEGER,
  result_length INTEGER,      -- including the line break
  completeness TEXT,          -- of the result: null if whole, else empty or in_part
  ask_again INTEGER,          -- 1 if the next run asks the service again for a result that is not whole
  first_seen_at INTEGER NOT NULL,
  intent_at INTEGER,          -- before the first byte was sent
  submitted_at INTEGER,       -- when the request_id was received
  finished_at INTEGER,        -- when its end was recorded
  -- The service finished the job between last_pending_at and ready_at.
  sent_at INTEGER,            -- when the first byte of the last submit left
  last_pending_at INTEGER,    -- when the last answer came that the job is not finished
  ready_at INTEGER            -- when the answer with the result came
);

CREATE INDEX document_incomplete
  -- Few: the results that are empty or in part.
  ON document(number) WHERE completeness IS NOT NULL;

CREATE TABLE earlier_request(
  -- Jobs that were paid for, of documents that were sent again later because they had failed or changed.
  document INTEGER NOT NULL,  -- document.number
  request_id TEXT NOT NULL,
  file_ids TEXT,
  state TEXT NOT NULL,        -- of the document before it was sent again
  submitted_at INTEGER,
  finished_at INTEGER
);

CREATE TABLE metadata(
  -- Parameters of the run, with which a resumed run is compared.
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TRIGGER keep_earlier_request
  -- A request_id was paid for, so it is moved to earlier_request and never overwritten.
  BEFORE UPDATE OF request_id ON document WHEN old.request_id IS NOT NULL AND new.request_id IS NULL
BEGIN
  INSERT INTO earlier_request(document, request_id, file_ids, state, submitted_at, finished_at)
    VALUES(old.number, old.request_id, old.file_ids, old.state, old.submitted_at, old.finished_at);
END;

)sql";

inline constexpr char view_for_people[] = R"sql(
CREATE VIEW document_for_people AS
  -- The rows of document with readable times and hashes.
  SELECT number, state, id, coalesce(path, id) AS path, lower(hex(sha256)) AS sha256, size, flow, doc_type,
         file_type, request_id, attempts, polls, possible_duplicate, duplicate_of, failure_class, message,
         CASE WHEN state IN ('done', 'skipped')
           THEN printf('results-%05d.jsonl:%d+%d', result_file, result_offset, result_length) END AS result,
         strftime('%Y-%m-%dT%H:%M:%SZ', sent_at / 1000, 'unixepoch') AS sent_at,
         strftime('%Y-%m-%dT%H:%M:%SZ', submitted_at / 1000, 'unixepoch') AS submitted_at,
         strftime('%Y-%m-%dT%H:%M:%SZ', last_pending_at / 1000, 'unixepoch') AS last_pending_at,
         strftime('%Y-%m-%dT%H:%M:%SZ', ready_at / 1000, 'unixepoch') AS ready_at,
         strftime('%Y-%m-%dT%H:%M:%SZ', finished_at / 1000, 'unixepoch') AS finished_at
    FROM document;
)sql";

inline constexpr char missing_parts_schema[] = R"sql(
CREATE TABLE missing_part(
  -- Parts that a result lacks: they were asked for, and are neither in a file nor absent at the service. The
  -- next run fetches them, writes the document's line again, and removes their rows.
  document INTEGER NOT NULL,   -- document.number
  place INTEGER NOT NULL,      -- in "parts" of the result line, from 0
  kind TEXT NOT NULL,          -- table, signature, stamp or image
  part_index INTEGER NOT NULL, -- in the name of its file
  sub_id TEXT NOT NULL,        -- the service's document_id, or file_id of an image
  failure_class TEXT,          -- why it failed; null if no run has waited for it yet
  message TEXT,                -- what failed, human-readable
  PRIMARY KEY(document, place)
) WITHOUT ROWID;
)sql";

/// Version 2 adds this to version 1, and missing_parts_schema.
inline constexpr char completeness_columns[] = R"sql(
ALTER TABLE document ADD COLUMN completeness TEXT;
ALTER TABLE document ADD COLUMN ask_again INTEGER;
CREATE INDEX document_incomplete ON document(number) WHERE completeness IS NOT NULL;
)sql";

/// Version 3 adds this to version 2, and view_for_people.
inline constexpr char time_columns[] = R"sql(
ALTER TABLE document ADD COLUMN sent_at INTEGER;
ALTER TABLE document ADD COLUMN last_pending_at INTEGER;
ALTER TABLE document ADD COLUMN ready_at INTEGER;
DROP VIEW document_for_people;
)sql";

/// For a connection that only reads a ledger of version 1: what version 2 adds, empty.
inline constexpr char as_version_2[] = R"sql(
PRAGMA temp_store=MEMORY;
CREATE TEMP TABLE missing_part(document, place, kind, part_index, sub_id, failure_class, message);
CREATE TEMP VIEW document AS SELECT *, NULL AS completeness, NULL AS ask_again FROM main.document;
)sql";

/// Created by the first run that shares results. Its entries are scattered over pages, so maintaining it
/// costs one page write per document, which other runs avoid.
inline constexpr char content_index[] = R"sql(
CREATE INDEX IF NOT EXISTS document_done_content
  -- For --dedupe content: done documents by the first bytes of their hash.
  ON document(substr(sha256, 1, 8)) WHERE state = 'done';
)sql";

} // namespace ocrpipe::detail

#endif

#ifndef OCRPIPE_SRC_SQLITE_LEDGER_SCHEMA_HPP
#define OCRPIPE_SRC_SQLITE_LEDGER_SCHEMA_HPP

namespace ocrpipe::detail
{

/// "ocrp", in the header of the database, by which file(1) and we know it.
inline constexpr int ledger_application_id = 0x6f637270;

/// In the header as user_version. Increment it when the tables change.
inline constexpr int ledger_schema_version = 1;

/// The comments stand inside the statements, so that `.schema` of the sqlite3 shell shows them.
inline constexpr char ledger_schema[] = R"sql(
CREATE TABLE document(
  -- One row for each document that ocrpipe run took up. Times are milliseconds since 1970, UTC.
  -- id and path are text, or a blob when they are not valid UTF-8.
  number INTEGER PRIMARY KEY, -- in the order of first admission
  state TEXT NOT NULL,        -- new, intent, submitted, done, failed, ambiguous, stuck, expired, lost or skipped
  id TEXT NOT NULL UNIQUE,    -- the document's own name: from the manifest, or its path
  path TEXT,                  -- the file; null when it is the id
  sha256 BLOB NOT NULL,       -- of the content
  size INTEGER NOT NULL,      -- bytes
  mtime INTEGER NOT NULL,     -- of the file, nanoseconds since 1970
  flow TEXT NOT NULL,
  doc_type TEXT NOT NULL,
  file_type TEXT NOT NULL,    -- PDF or IMAGE; empty when found from the first bytes
  parameters TEXT NOT NULL,   -- fingerprint of flow, doc_type, file_type and further fields
  request_id TEXT,            -- the service's name for the job that was paid for; polled, never submitted again
  file_ids TEXT,              -- the service's, as a JSON array
  attempts INTEGER NOT NULL DEFAULT 0,           -- submits sent
  polls INTEGER NOT NULL DEFAULT 0,
  possible_duplicate INTEGER NOT NULL DEFAULT 0, -- 1: sent again after a submit whose answer was lost; may be billed twice
  duplicate_of TEXT,          -- skipped: the id of the document whose result this one shares
  failure_class TEXT,         -- such as rejected or ambiguous_submit
  message TEXT,               -- what failed, for people
  result_file INTEGER,        -- the last result is in results-0000N.jsonl; stays when the document is sent again,
  result_offset INTEGER,      -- from this byte                     so that its line is not taken for an unrecorded one
  result_length INTEGER,      -- and so many bytes long
  first_seen_at INTEGER NOT NULL,
  intent_at INTEGER,          -- before the first byte of the submit left
  submitted_at INTEGER,       -- when the request_id came
  finished_at INTEGER
);

CREATE TABLE earlier_request(
  -- Jobs that were paid for and whose document was sent again since, because it had failed or changed.
  document INTEGER NOT NULL,  -- document.number
  request_id TEXT NOT NULL,
  file_ids TEXT,
  state TEXT NOT NULL,        -- in which the document was then
  submitted_at INTEGER,
  finished_at INTEGER
);

CREATE TABLE metadata(
  -- What the run was started with; a resumed run compares.
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TRIGGER keep_earlier_request
  -- A request_id is money: it is moved away, never overwritten.
  BEFORE UPDATE OF request_id ON document WHEN old.request_id IS NOT NULL AND new.request_id IS NULL
BEGIN
  INSERT INTO earlier_request(document, request_id, file_ids, state, submitted_at, finished_at)
    VALUES(old.number, old.request_id, old.file_ids, old.state, old.submitted_at, old.finished_at);
END;

CREATE VIEW document_for_people AS
  -- The same rows with readable times and hashes.
  SELECT number, state, id, coalesce(path, id) AS path, lower(hex(sha256)) AS sha256, size, flow, doc_type, file_type,
         request_id, attempts, polls, possible_duplicate, duplicate_of, failure_class, message,
         CASE WHEN state IN ('done', 'skipped') THEN printf('results-%05d.jsonl:%d+%d', result_file, result_offset, result_length)
           END AS result,
         strftime('%Y-%m-%dT%H:%M:%SZ', submitted_at / 1000, 'unixepoch') AS submitted_at,
         strftime('%Y-%m-%dT%H:%M:%SZ', finished_at / 1000, 'unixepoch') AS finished_at
    FROM document;

CREATE VIEW document_counts AS
  SELECT state, failure_class, count(*) AS documents FROM document GROUP BY state, failure_class;
)sql";

/// Created by the first run that shares results. Its entries are scattered over pages, so maintaining it
/// costs one page write per document, which other runs avoid.
inline constexpr char content_index[] = R"sql(
CREATE INDEX IF NOT EXISTS document_done_content
  -- For --dedupe content: documents whose result can be shared, by the beginning of their hash.
  ON document(substr(sha256, 1, 8)) WHERE state = 'done';
)sql";

} // namespace ocrpipe::detail

#endif

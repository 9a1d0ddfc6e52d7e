#ifndef OCRPIPE_SRC_SQLITE_LEDGER_STATEMENTS_HPP
#define OCRPIPE_SRC_SQLITE_LEDGER_STATEMENTS_HPP

namespace ocrpipe::detail
{

// The statement of each change. One that may not be made changes no row.

inline constexpr char intent_sql[] = R"sql(
INSERT INTO document(id, path, sha256, size, mtime, flow, doc_type, file_type, parameters, first_seen_at,
                     state, intent_at)
  VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'intent', ?10)
ON CONFLICT(id) DO UPDATE SET
  state = 'intent',
  possible_duplicate = (state = 'ambiguous' OR possible_duplicate)
                       AND sha256 = excluded.sha256 AND parameters = excluded.parameters,
  path = excluded.path, sha256 = excluded.sha256, size = excluded.size, mtime = excluded.mtime,
  flow = excluded.flow, doc_type = excluded.doc_type, file_type = excluded.file_type,
  parameters = excluded.parameters,
  request_id = NULL, file_ids = NULL, attempts = 0, polls = 0, failure_class = NULL, message = NULL,
  submitted_at = NULL, duplicate_of = NULL, finished_at = NULL, completeness = NULL, ask_again = NULL,
  sent_at = NULL, last_pending_at = NULL, ready_at = NULL, intent_at = ?10
WHERE may_become(state, 'intent', sha256 <> excluded.sha256 OR parameters <> excluded.parameters)
  AND state = ?11 AND coalesce(intent_at, 0) = ?12
)sql";

/// Not allowed if the result of the original is not the one that was copied.
inline constexpr char skip_sql[] = R"sql(
INSERT INTO document(id, path, sha256, size, mtime, flow, doc_type, file_type, parameters, first_seen_at,
                     state, duplicate_of, result_file, result_offset, result_length, finished_at,
                     completeness, ask_again)
  SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'skipped', ?11, ?12, ?13, ?14, ?10,
         completeness, ask_again
  FROM document
  WHERE id = ?11 AND state = 'done' AND (result_file, result_offset, result_length) = (?15, ?16, ?17)
ON CONFLICT(id) DO UPDATE SET
  state = 'skipped',
  possible_duplicate = (state = 'ambiguous' OR possible_duplicate)
                       AND sha256 = excluded.sha256 AND parameters = excluded.parameters,
  path = excluded.path, sha256 = excluded.sha256, size = excluded.size, mtime = excluded.mtime,
  flow = excluded.flow, doc_type = excluded.doc_type, file_type = excluded.file_type,
  parameters = excluded.parameters,
  request_id = NULL, file_ids = NULL, attempts = 0, polls = 0, failure_class = NULL, message = NULL,
  submitted_at = NULL, intent_at = NULL, sent_at = NULL, last_pending_at = NULL, ready_at = NULL,
  duplicate_of = ?11, finished_at = ?10,
  result_file = ?12, result_offset = ?13, result_length = ?14,
  completeness = excluded.completeness, ask_again = excluded.ask_again
WHERE may_become(state, 'skipped', sha256 <> excluded.sha256 OR parameters <> excluded.parameters)
  OR (state = 'skipped' AND completeness IS NOT NULL)
)sql";

inline constexpr char submitted_sql[] = R"sql(
UPDATE document SET
  state = 'submitted', request_id = ?2, file_ids = ?3, attempts = ?4,
  possible_duplicate = possible_duplicate OR ?5, submitted_at = ?6,
  sent_at = coalesce(?7, sent_at),
  failure_class = NULL, message = NULL, finished_at = NULL
WHERE id = ?1 AND may_become(state, 'submitted', 0)
)sql";

inline constexpr char finished_sql[] = R"sql(
UPDATE document SET
  state = ?2, failure_class = ?3, message = ?4, result_file = coalesce(?5, result_file),
  result_offset = coalesce(?6, result_offset), result_length = coalesce(?7, result_length),
  polls = polls + ?8, attempts = coalesce(?9, attempts), finished_at = ?10,
  completeness = ?11, ask_again = ?12, sent_at = coalesce(?17, sent_at),
  last_pending_at = coalesce(?18, last_pending_at), ready_at = coalesce(?19, ready_at)
WHERE id = ?1 AND CASE WHEN ?13 IS NULL THEN may_become(state, ?2, 0)
                       ELSE state = 'done' AND request_id = ?13 AND completeness IS NOT NULL
                            AND (result_file, result_offset, result_length) = (?14, ?15, ?16) END
)sql";

/// The document's new line lists parts. Not allowed if its result is not the one that lacked them.
inline constexpr char parts_sql[] = R"sql(
UPDATE document SET result_file = ?4, result_offset = ?5, result_length = ?6
WHERE id = ?1 AND state IN ('done', 'skipped') AND result_file = ?2 AND result_offset = ?3
)sql";

inline constexpr char keep_part_sql[] = R"sql(
INSERT INTO missing_part VALUES((SELECT number FROM document WHERE id = ?1), ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT(document, place) DO UPDATE SET failure_class = ?6, message = ?7
)sql";

inline constexpr char drop_part_sql[] =
    "DELETE FROM missing_part WHERE document = (SELECT number FROM document WHERE id = ?1) AND place = ?2";

inline constexpr char drop_parts_sql[] =
    "DELETE FROM missing_part WHERE document = (SELECT number FROM document WHERE id = ?1)";

/// Before finished_sql, if its result replaces another one.
inline constexpr char drop_replaced_parts_sql[] = R"sql(
DELETE FROM missing_part WHERE document = (SELECT number FROM document
  WHERE id = ?1 AND state = 'done' AND request_id = ?2
        AND (result_file, result_offset, result_length) = (?6, ?7, ?8)
        AND (result_file, result_offset, result_length) IS NOT (?3, ?4, ?5))
)sql";

/// A copy lacks what its original lacks.
inline constexpr char copy_parts_sql[] = R"sql(
INSERT INTO missing_part
  SELECT (SELECT number FROM document WHERE id = ?1), place, kind, part_index, sub_id, failure_class, message
  FROM missing_part WHERE document = (SELECT number FROM document WHERE id = ?2)
)sql";

/// If an earlier submit was ambiguous, the document becomes ambiguous again instead of new.
inline constexpr char not_sent_sql[] = R"sql(
UPDATE document SET
  state = iif(possible_duplicate, 'ambiguous', 'new'),
  failure_class = iif(possible_duplicate, 'ambiguous_submit', NULL), intent_at = NULL
WHERE id = ?1 AND may_become(state, 'new', 0)
)sql";

inline constexpr char metadata_sql[] =
    "INSERT INTO metadata VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value = ?2";

inline constexpr char mark_interrupted_sql[] = R"sql(
UPDATE document SET
  state = 'ambiguous', failure_class = ?2, message = 'the process ended before the answer came',
  finished_at = ?1
WHERE state = 'intent'
)sql";

} // namespace ocrpipe::detail

#endif

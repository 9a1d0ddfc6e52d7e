#ifndef OCRPIPE_BULK_RUN_IMPL_INTAKE_IPP
#define OCRPIPE_BULK_RUN_IMPL_INTAKE_IPP

#include <ocrpipe/api/file_type.hpp>
#include <ocrpipe/bulk/run/detail/intake.hpp>

#include <fmt/format.h>

#include <span>
#include <string>

namespace ocrpipe::detail
{

/// In these states, a document with an unchanged file needs no work, whatever take_up selects.
inline constexpr document_states settled{document_state::done, document_state::skipped,
                                         document_state::intent, document_state::submitted,
                                         document_state::stuck};

/// Converts what a source found, with the run's defaults filled in.
OCRPIPE_DECL prepared_document intake::unread(input_item item)
{
    prepared_document d;
    d.record.id = std::move(item.id);
    d.record.path = std::move(item.path);
    d.record.size = item.size;
    d.record.mtime_ns = item.mtime_ns;
    d.record.flow = item.flow.empty() ? options_.flow : std::move(item.flow);
    d.record.doc_type = item.doc_type.empty() ? options_.doc_type : std::move(item.doc_type);
    d.record.type = item.type == file_type::detect ? options_.type : item.type;
    d.record.parameters = fingerprint_of(d.record);
    d.where = std::move(item.where);
    d.request_id = std::move(item.request_id);
    d.in_doubt = item.in_doubt;
    return d;
}

OCRPIPE_DECL std::string const& intake::fingerprint_of(ledger_document const& d)
{
    // All documents of a directory have the same parameters.
    ledger_document& last = fingerprinted_;
    if (fingerprint_.empty() || last.flow != d.flow || last.doc_type != d.doc_type || last.type != d.type) {
        last.flow = d.flow;
        last.doc_type = d.doc_type;
        last.type = d.type;
        fingerprint_ = parameters_fingerprint(d.flow, d.doc_type, d.type, options_.extra_fields);
    }
    return fingerprint_;
}

OCRPIPE_DECL std::optional<input_problem> id_is_taken(prepared_document const& d,
                                                      ledger_document const& first)
{
    std::string const id = printable_excerpt(d.record.id, 200);
    std::string const path = printable_excerpt(first.path, 1024);
    auto const problem = [&d](std::string message) {
        return input_problem{d.record.path, d.where, errc::invalid_argument, std::move(message)};
    };
    if (first.path != d.record.path && first.sha256 != d.record.sha256)
        return problem(fmt::format("the id {} is that of {} already: give each document its own", id, path));
    if (first.parameters == d.record.parameters) return std::nullopt;
    auto const reading = [](std::string_view doc_type, std::string_view flow, enum file_type type) {
        return fmt::format("{} by flow {}{}{}", printable_excerpt(doc_type, 100),
                           printable_excerpt(flow, 100), type == file_type::detect ? "" : ", ",
                           wire_word(type));
    };
    return problem(
        fmt::format("{} has the id {} already, to be read as {}, and here as {}: give each reading an "
                    "id of its own, or accept changes",
                    path, id, reading(first.doc_type, first.flow, first.type),
                    reading(d.record.doc_type, d.record.flow, d.record.type)));
}

/// `same`: content and parameters match the row.
OCRPIPE_DECL intake::verdict intake::judge(ledger_row const& row, bool same) const
{
    switch (row.state) {
    case document_state::found:
        return verdict::send;
    // In progress, or to be polled: changes to its file are handled after it has ended.
    case document_state::intent:
    case document_state::submitted:
    case document_state::stuck:
        return verdict::pass_over;
    default:
        break;
    }
    if (!same) return verdict::send;
    // It was not sent because its file was being written, so it is sent now even if the file looks unchanged.
    if (row.state == document_state::failed && row.failure_class == name(errc::file_changed)) return verdict::send;
    bool const has_result = row.state == document_state::done || row.state == document_state::skipped;
    return !has_result && options_.take_up && options_.take_up(row) ? verdict::send : verdict::pass_over;
}

/// Returns whether this run has seen the row before, and marks it as seen.
OCRPIPE_DECL bool intake::meet(std::uint64_t number)
{
    if (number > options_.rows_before) return true;
    if (met_.empty()) met_.resize(options_.rows_before + 1);
    bool const before = met_[number];
    met_[number] = true;
    return before;
}

/// Reads the whole document; a small one is kept in memory for its upload.
OCRPIPE_DECL std::optional<input_problem> intake::hash(prepared_document& d)
{
    document const file = document::from_file(d.record.path);
    auto const problem = [&d](error_code code, std::string message) {
        return input_problem{d.record.path, d.where, code, std::move(message)};
    };
    result<document_reader> reader = document_reader::open(file);
    if (!reader) return problem(reader.error().code, to_string(reader.error()));
    d.record.size = reader->size();
    d.record.mtime_ns = reader->version().mtime_ns;
    bool const hold = d.record.size < hold_below;
    // One extra byte, to detect whether the file has grown.
    std::string whole(hold ? d.record.size + 1 : 0, '\0');
    std::span<char> const into = hold ? std::span<char>(whole) : std::span<char>(buffer_);
    hash_.begin();
    for (;;) {
        if (cancelled_.load(std::memory_order_relaxed))
            return problem(errc::cancelled, "the run was stopped");
        error_code ec;
        std::size_t const n = reader->read(into, ec);
        if (ec) return problem(ec, printable_excerpt(d.record.path, 1024) + ": " + ec.message());
        if (n == 0) break;
        hash_.update(into.first(n));
        if (n < into.size()) break; // the rest
    }
    d.record.sha256 = hash_.hex();
    if (hold) whole.pop_back();
    d.doc = hold ? document::from_bytes(std::move(whole), file.name())
                 : document::from_file(d.record.path, reader->version());
    return std::nullopt;
}

OCRPIPE_DECL std::optional<prepared> intake::prepare(input_item item)
{
    prepared_document d = unread(std::move(item));

    std::uint64_t number = 0; // of its row
    auto const pass_over = [this, &number] {
        passed_over_.fetch_add(1, std::memory_order_relaxed);
        if (meet(number)) repeated_.fetch_add(1, std::memory_order_relaxed);
        return std::optional<prepared>();
    };
    std::optional<ledger_row> row;
    if (ledger_) {
        result<std::optional<known_document>> const known = ledger_->look_up(
            d.record.id, d.record.path, d.record.size, d.record.mtime_ns, d.record.parameters);
        if (!known) return known.error();
        bool const untouched = *known && (**known).untouched;
        if (*known) number = (**known).number;
        // The most common case in a resumed run; skips reading the full row.
        if (untouched && settled.contains((**known).state)) return pass_over();
        if (*known) {
            result<std::optional<ledger_row>> found = ledger_->find(d.record.id);
            if (!found) return std::move(found).error();
            row = std::move(*found);
        }
        if (row && untouched && judge(*row, true) == verdict::pass_over) return pass_over();
    }

    if (std::optional<input_problem> problem = hash(d)) return std::move(*problem);
    if (row) {
        bool const same_content = row->sha256 == d.record.sha256;
        bool const same = same_content && row->parameters == d.record.parameters;
        // A document that was, or may have been, paid for is not sent again merely because its parameters
        // changed.
        bool const paid_for =
            document_states{document_state::done, document_state::skipped, document_state::ambiguous}
                .contains(row->state);
        bool const other_reading = paid_for && same_content && !options_.accept_changes;
        bool const other_document = !same_content && row->path != d.record.path;
        if (other_reading || other_document)
            if (auto taken = id_is_taken(d, *row)) return std::move(*taken);
        if (judge(*row, same) == verdict::pass_over) return pass_over();
        meet(number);
        d.was = row->version();
        d.was_ambiguous = same && row->state == document_state::ambiguous;
    }
    return d;
}

} // namespace ocrpipe::detail

#endif

#ifndef OCRPIPE_BULK_RUN_IMPL_INTAKE_IPP
#define OCRPIPE_BULK_RUN_IMPL_INTAKE_IPP

#include <ocrpipe/api/file_type.hpp>
#include <ocrpipe/bulk/run/detail/admission.hpp>
#include <ocrpipe/bulk/run/detail/intake.hpp>
#include <ocrpipe/core/words.hpp>

#include <fmt/format.h>

#include <span>
#include <string>

namespace ocrpipe::detail
{

/// Converts what a source found to a document, with the run's defaults filled in.
OCRPIPE_DECL prepared_document intake::with_defaults(input_item item)
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
    if (item.doc) d.doc = std::move(*item.doc);
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

OCRPIPE_DECL std::optional<input_problem> id_conflict(prepared_document const& d,
                                                      ledger_document const& first)
{
    std::string const id = printable_excerpt(d.record.id, 200);
    std::string const path = printable_excerpt(first.path, 1024);
    auto const problem = [&d](std::string message) {
        return input_problem{d.record.path, d.where, errc::invalid_argument, std::move(message)};
    };
    if (first.path != d.record.path && first.sha256 != d.record.sha256)
        return problem(
            fmt::format("the id {} already belongs to {}: give each document its own id", id, path));
    if (first.parameters == d.record.parameters) return std::nullopt;
    auto const reading = [](std::string_view doc_type, std::string_view flow, enum file_type type) {
        return fmt::format("{} by flow {}{}{}", printable_excerpt(doc_type, 100),
                           printable_excerpt(flow, 100), type == file_type::detect ? "" : ", ",
                           wire_word(type));
    };
    return problem(fmt::format("{} already has the id {} and is read as {}, but here as {}: give it "
                               "another id here, or accept changes",
                               path, id, reading(first.doc_type, first.flow, first.type),
                               reading(d.record.doc_type, d.record.flow, d.record.type)));
}

inline input_problem edited_since(prepared_document const& d)
{
    return {d.record.path, d.where, errc::invalid_argument,
            fmt::format("{} was changed since it was sent as request {}, whose result belongs to the earlier "
                        "content: restore the file, or remove request_id from this row to send it as a new "
                        "document",
                        printable_excerpt(d.record.path, 1024), printable_excerpt(d.request_id, 128))};
}

/// Whether to send an unchanged document that ended without a result.
OCRPIPE_DECL bool intake::is_selected(ledger_row const& row) const
{
    // It was not sent because its file was being written, so it is sent now even if the file looks unchanged.
    if (row.failure_class == name(errc::file_changed)) return true;
    return options_.resend && options_.resend(row);
}

/// Returns whether this run has seen the row before, and marks it as seen.
OCRPIPE_DECL bool intake::mark_seen(std::uint64_t number)
{
    if (number > options_.rows_before) return true;
    if (seen_.empty()) seen_.resize(options_.rows_before + 1);
    bool const before = seen_[number];
    seen_[number] = true;
    return before;
}

OCRPIPE_DECL std::optional<prepared> intake::skip(std::uint64_t number)
{
    if (mark_seen(number)) repeated_.fetch_add(1, std::memory_order_relaxed);
    return std::nullopt;
}

/// Reads the whole document; a small one is kept in memory for its upload.
OCRPIPE_DECL std::optional<input_problem> intake::read(prepared_document& d)
{
    if (std::optional<std::string_view> const bytes = d.doc.bytes()) {
        if (bytes->empty()) return input_problem{d.record.path, d.where, errc::empty_document, {}};
        hash_.begin();
        hash_.update(*bytes);
        d.record.sha256 = hash_.hex();
        d.record.size = bytes->size();
        d.record.mtime_ns = 0;
        return std::nullopt;
    }
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
    bool const is_file = !item.doc;
    if (!is_file && !item.doc->bytes())
        return input_problem{std::move(item.path), std::move(item.where), errc::invalid_argument,
                             "input_item::doc: not in memory: give a path, or the bytes"};
    std::string const sent = std::move(item.sha256);
    prepared_document d = with_defaults(std::move(item));
    ledger_document const& r = d.record;
    result<std::optional<known_document>> const look =
        ledger_->look_up(r.id, r.path, r.size, r.mtime_ns, r.parameters);
    if (!look) return look.error();
    known_document known = look->value_or(known_document());
    known.untouched = known.untouched && is_file;
    // The most common case in a resumed run: neither the row nor the file is read.
    if (known.untouched && admission_of(known.state, {}, options_.accept_changes) == admission::skip)
        return skip(known.number);

    // A file that was touched is read to decide, an untouched one only to be sent.
    if (!known.untouched)
        if (std::optional<input_problem> problem = read(d)) return std::move(*problem);
    std::optional<ledger_row> row;
    if (*look) {
        result<std::optional<ledger_row>> found = ledger_->find(r.id);
        if (!found) return std::move(found).error();
        row = std::move(*found);
    }
    if (row) {
        row_comparison c = compare(*row, r);
        c.same_content |= known.untouched;
        admission const what = admission_of(row->state, c, options_.accept_changes);
        if (what == admission::refuse) return id_conflict(d, *row).value();
        if (what == admission::skip || (what == admission::resend_if_selected && !is_selected(*row)))
            return skip(known.number);
        mark_seen(known.number);
        d.was = row->version();
    }
    if (known.untouched)
        if (std::optional<input_problem> problem = read(d)) return std::move(*problem);
    if (!sent.empty() && !same_letters(sent, r.sha256)) {
        // An earlier submit of other content says nothing about this one.
        d.in_doubt = false;
        if (!d.request_id.empty()) return edited_since(d);
    }
    d.was_ambiguous = row && (row->state == document_state::ambiguous || row->possible_duplicate) &&
                      row->sha256 == r.sha256 && row->parameters == r.parameters;
    return d;
}

} // namespace ocrpipe::detail

#endif

#ifndef OCRPIPE_BULK_LEDGER_IMPL_MEMORY_LEDGER_IPP
#define OCRPIPE_BULK_LEDGER_IMPL_MEMORY_LEDGER_IPP

#include <ocrpipe/bulk/ledger/detail/batched_ledger.hpp>
#include <ocrpipe/bulk/ledger/memory_ledger.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_map>

namespace ocrpipe::detail
{

class memory_ledger final : public batched_ledger
{
public:
    memory_ledger(boost::asio::io_context& ioc, std::function<std::chrono::system_clock::time_point()> clock)
        : batched_ledger(ioc, {1, std::chrono::milliseconds(0)}, std::move(clock))
        , metadata_{{"created_at", std::to_string(now())}, {"ocrpipe_version", OCRPIPE_VERSION_STRING}}
    {
        start();
    }
    ~memory_ledger() override { close(); }

    bool survives_process() const noexcept override { return false; }

    result<std::optional<ledger_row>> find(std::string_view id) override
    {
        std::lock_guard const lock(mutex_);
        stored const* const row = row_of(id);
        return row ? std::optional(shown(*row)) : std::nullopt;
    }

    result<std::optional<known_document>> look_up(std::string_view id, std::string_view path,
                                                  std::uint64_t size, std::int64_t mtime_ns,
                                                  std::string_view parameters) override
    {
        std::lock_guard const lock(mutex_);
        stored const* const row = row_of(id);
        if (!row) return std::optional<known_document>();
        bool const untouched = row->path == path && row->size == size && row->mtime_ns == mtime_ns &&
                               row->parameters == parameters;
        return std::optional(known_document{row->state, untouched, row->number});
    }

    result<std::optional<ledger_row>> find_request(std::string_view request_id) override
    {
        std::lock_guard const lock(mutex_);
        if (request_id.empty()) return std::optional<ledger_row>();
        auto const has_it = [request_id](ledger_row const& r) { return r.request_id == request_id; };
        if (auto const now = std::find_if(rows_.begin(), rows_.end(), has_it); now != rows_.end())
            return std::optional(shown(*now));
        auto const then = std::find_if(superseded_.begin(), superseded_.end(), has_it);
        if (then == superseded_.end()) return std::optional<ledger_row>();
        return std::optional(shown(*then));
    }

    result<std::optional<ledger_row>> find_done_by_content(std::string_view sha256,
                                                           std::string_view parameters) override
    {
        std::lock_guard const lock(mutex_);
        auto const [from, to] = done_by_content_.equal_range(std::string(sha256));
        for (auto at = from; at != to; ++at) {
            stored const& row = rows_[at->second - 1];
            if (row.state == document_state::done && row.sha256 == sha256 && row.parameters == parameters)
                return std::optional(shown(row));
        }
        return std::optional<ledger_row>();
    }

    result<std::vector<ledger_row>> rows(document_states in, std::uint64_t& cursor,
                                         std::size_t limit) override
    {
        std::lock_guard const lock(mutex_);
        std::vector<ledger_row> out;
        for (std::uint64_t n = cursor; n < rows_.size() && out.size() < limit; ++n) {
            if (!in.contains(rows_[n].state)) continue;
            out.push_back(shown(rows_[n]));
            cursor = rows_[n].number;
        }
        return out;
    }

    result<std::vector<ledger_row>> incomplete_rows(bool settled_too, std::uint64_t& cursor,
                                                    std::size_t limit) override
    {
        std::lock_guard const lock(mutex_);
        std::vector<ledger_row> out;
        for (auto at = incomplete_.upper_bound(cursor); at != incomplete_.end() && out.size() < limit; ++at) {
            stored const& row = rows_[*at - 1];
            if (!row.ask_again && !settled_too) continue;
            out.push_back(shown(row));
            cursor = *at;
        }
        return out;
    }

    result<std::vector<std::string>> documents_lacking_parts() override
    {
        std::lock_guard const lock(mutex_);
        std::vector<std::string> ids;
        for (auto const& [number, parts] : missing_parts_)
            ids.push_back(rows_[number - 1].id);
        return ids;
    }

    result<std::vector<missing_part>> missing_parts(std::string_view id, std::uint64_t from,
                                                    std::size_t limit) override
    {
        std::lock_guard const lock(mutex_);
        std::vector<missing_part> out;
        stored const* const row = row_of(id);
        auto const parts = row ? missing_parts_.find(row->number) : missing_parts_.end();
        if (parts == missing_parts_.end()) return out;
        for (auto p = parts->second.lower_bound(from); p != parts->second.end() && out.size() < limit; ++p)
            out.push_back(p->second);
        return out;
    }

    result<document_counts> counts() override
    {
        std::lock_guard const lock(mutex_);
        document_counts counts;
        for (ledger_row const& row : rows_)
            count_row(counts, row.state, row.failure_class, row.possible_duplicate, row.how_complete,
                      row.ask_again, !row.request_id.empty(), row.doc_type);
        for (auto const& [number, parts] : missing_parts_)
            for (auto const& [place, part] : parts)
                ++(part.failure == errc::ok ? counts.parts_wanted
                                            : counts.parts_failed[std::string(name(part.failure))]);
        counts.last_number = rows_.size();
        return counts;
    }

    result<std::optional<result_location>> last_result_location() override
    {
        std::lock_guard const lock(mutex_);
        std::optional<result_location> last;
        for (ledger_row const& row : rows_)
            if (row.result && (!last || std::tie(row.result->file, row.result->offset) >
                                            std::tie(last->file, last->offset)))
                last = row.result;
        return last;
    }

    result<std::optional<std::string>> metadata(std::string_view key) override
    {
        std::lock_guard const lock(mutex_);
        auto const found = metadata_.find(key);
        return found == metadata_.end() ? std::nullopt : std::optional(found->second);
    }

private:
    /// `result` stays when the document is sent again, so that last_result_location() still covers its line.
    struct stored : ledger_row {
        std::uint64_t number = 0;
    };
    using places = std::map<std::uint64_t, missing_part>;

    static ledger_row shown(stored const& s)
    {
        ledger_row row = s;
        if (row.state != document_state::done && row.state != document_state::skipped) row.result.reset();
        return row;
    }

    stored* row_of(std::string_view id)
    {
        auto const found = numbers_.find(id);
        return found == numbers_.end() ? nullptr : &rows_[found->second - 1];
    }

    result<void> commit(std::span<pending_change> batch) override
    {
        std::lock_guard const lock(mutex_);
        for (pending_change& c : batch)
            if (!std::visit([&](auto& change) { return apply(change, c.at); }, c.what))
                c.outcome = errc::invalid_argument;
        return {};
    }
    result<std::uint64_t> mark_interrupted(std::int64_t) override { return std::uint64_t{0}; }
    result<void> release(bool) override { return {}; }

    // Each returns false, and changes nothing, if the change is invalid.

    bool apply(intent_change& c, std::int64_t at)
    {
        stored const* const before = row_of(c.document.id);
        if (before && c.seen != before->version()) return false;
        stored* const row = start_over(c.document, document_state::intent, at);
        if (row) row->intent_at = at;
        return row != nullptr;
    }

    bool apply(skip_change& c, std::int64_t at)
    {
        stored const* const original = row_of(c.what.duplicate_of);
        if (!original || original->state != document_state::done || original->result != c.what.from)
            return false;
        stored* row = row_of(c.document.id);
        bool const again = row && row->state == document_state::skipped && incomplete_.contains(row->number);
        if (!again) row = start_over(c.document, document_state::skipped, at);
        if (!row) return false;
        set_completeness(*row, original->how_complete, original->ask_again);
        missing_parts_.erase(row->number);
        auto const lacks = missing_parts_.find(original->number);
        if (lacks != missing_parts_.end()) missing_parts_[row->number] = lacks->second;
        row->duplicate_of = std::move(c.what.duplicate_of);
        row->result = c.what.to;
        row->finished_at = at;
        return true;
    }

    bool apply(submitted_change& c, std::int64_t at)
    {
        stored* const row = row_that_may_become(document_state::submitted, c.id);
        if (!row || c.what.request_id.empty()) return false;
        row->state = document_state::submitted;
        row->request_id = std::move(c.what.request_id);
        row->file_ids = std::move(c.what.file_ids);
        row->attempts = c.what.attempts;
        row->possible_duplicate = row->possible_duplicate || c.what.possible_duplicate;
        row->submitted_at = c.what.accepted_at != 0 ? c.what.accepted_at : at;
        if (c.what.sent_at != 0) row->sent_at = c.what.sent_at;
        row->failure_class.clear();
        row->message.clear();
        row->finished_at = 0;
        return true;
    }

    bool apply(not_sent_change& c, std::int64_t)
    {
        stored* const row = row_that_may_become(document_state::found, c.id);
        if (!row) return false;
        bool const maybe_sent = row->possible_duplicate;
        row->state = maybe_sent ? document_state::ambiguous : document_state::found;
        row->failure_class = maybe_sent ? name(errc::ambiguous_submit) : std::string_view();
        row->intent_at = 0;
        return true;
    }

    bool apply(finished_change& c, std::int64_t at)
    {
        stored* const row =
            c.what.replaces.empty() ? row_that_may_become(c.what.state, c.id) : row_to_replace(c.id, c.what);
        if (!row || !is_complete(c.what)) return false;
        set_completeness(*row, c.what.how_complete, c.what.ask_again);
        row->state = c.what.state;
        row->failure_class = row->state == document_state::done ? std::string_view() : name(c.what.failure);
        row->message = std::move(c.what.message);
        if (row->result != c.what.result) missing_parts_.erase(row->number);
        if (c.what.result) row->result = c.what.result;
        row->polls += c.what.polls;
        if (c.what.attempts > 0) row->attempts = c.what.attempts;
        row->finished_at = at;
        if (c.what.sent_at != 0) row->sent_at = c.what.sent_at;
        if (c.what.last_pending_at != 0) row->last_pending_at = c.what.last_pending_at;
        if (c.what.ready_at != 0) row->ready_at = c.what.ready_at;
        if (row->state == document_state::done) done_by_content_.emplace(row->sha256, row->number);
        for (missing_part& p : c.what.missing_parts)
            missing_parts_[row->number].insert_or_assign(p.place, std::move(p));
        return true;
    }

    bool apply(parts_change& c, std::int64_t)
    {
        constexpr document_states with_result{document_state::done, document_state::skipped};
        stored* const row = row_of(c.id);
        if (!row || !with_result.contains(row->state) || row->result != c.what.from) return false;
        row->result = c.what.to;
        places& lacks = missing_parts_[row->number];
        for (std::uint64_t const place : c.what.listed)
            lacks.erase(place);
        for (missing_part& p : c.what.failed)
            lacks.insert_or_assign(p.place, std::move(p));
        if (lacks.empty()) missing_parts_.erase(row->number);
        return true;
    }

    bool apply(metadata_change& c, std::int64_t)
    {
        metadata_.insert_or_assign(std::move(c.key), std::move(c.value));
        return true;
    }
    bool apply(index_change&, std::int64_t) { return true; }
    bool apply(flush_change&, std::int64_t) { return true; }

    stored* row_that_may_become(document_state to, std::string_view id)
    {
        stored* const row = row_of(id);
        return row && may_become(row->state, to, false) ? row : nullptr;
    }

    /// The row with the result that is replaced, which is not whole.
    stored* row_to_replace(std::string_view id, finish_record const& what)
    {
        stored* const row = row_of(id);
        bool const replaceable = row && row->state == document_state::done &&
                                 row->request_id == what.replaces && row->result == what.replaced &&
                                 incomplete_.contains(row->number);
        return replaceable ? row : nullptr;
    }

    void set_completeness(stored& row, completeness how_complete, bool ask_again)
    {
        row.how_complete = how_complete;
        row.ask_again = how_complete != completeness::whole && ask_again;
        if (how_complete == completeness::whole)
            incomplete_.erase(row.number);
        else
            incomplete_.insert(row.number);
    }

    /// Creates the document's row, or clears the outcome of its earlier attempt. Returns nullptr if the
    /// document may not be sent or skipped.
    stored* start_over(ledger_document& d, document_state to, std::int64_t at)
    {
        stored* row = row_of(d.id);
        bool const changed = row && (row->sha256 != d.sha256 || row->parameters != d.parameters);
        bool const hashed =
            d.sha256.size() == 64 && d.sha256.find_first_not_of("0123456789abcdef") == std::string::npos;
        if (!hashed || !may_become(row ? row->state : document_state::found, to, changed)) return nullptr;
        stored next;
        static_cast<ledger_document&>(next) = std::move(d);
        next.state = to;
        next.first_seen_at = row ? row->first_seen_at : at;
        next.number = row ? row->number : rows_.size() + 1;
        if (!row) {
            numbers_.emplace(next.id, next.number);
            return &rows_.emplace_back(std::move(next));
        }
        missing_parts_.erase(row->number);
        next.result = row->result;
        next.possible_duplicate =
            !changed && (row->possible_duplicate || row->state == document_state::ambiguous);
        incomplete_.erase(row->number);
        if (!row->request_id.empty()) superseded_.push_back(std::move(*row));
        *row = std::move(next);
        return row;
    }

    std::mutex mutex_;
    std::deque<stored> rows_;                                   ///< in the order of their numbers, from 1
    std::map<std::string, std::uint64_t, std::less<>> numbers_; ///< by id
    /// Rows with a request_id, as they were before their documents were sent again.
    std::vector<stored> superseded_;
    std::map<std::uint64_t, places> missing_parts_;                       ///< of documents, by number
    std::unordered_multimap<std::string, std::uint64_t> done_by_content_; ///< numbers of rows that were done
    std::set<std::uint64_t> incomplete_; ///< numbers of rows whose result is not whole
    std::map<std::string, std::string, std::less<>> metadata_;
};

} // namespace ocrpipe::detail

namespace ocrpipe
{

OCRPIPE_DECL std::unique_ptr<ledger>
make_memory_ledger(boost::asio::io_context& ioc, std::function<std::chrono::system_clock::time_point()> clock)
{
    return std::make_unique<detail::memory_ledger>(ioc, std::move(clock));
}

} // namespace ocrpipe

#endif

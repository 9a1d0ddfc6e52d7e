#ifndef OCRPIPE_TESTS_SUPPORT_FAILING_LEDGER_HPP
#define OCRPIPE_TESTS_SUPPORT_FAILING_LEDGER_HPP

#include <ocrpipe/bulk/ledger/ledger.hpp>

#include <cerrno>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What becomes of a change.
enum class change_outcome {
    made,
    refused,       ///< errc::invalid_argument: not made, later changes are
    lost,          ///< errc::ledger_failed: neither this nor a later change is made
    made_unnoticed ///< errc::ledger_failed: made, but later changes are not
};

/// Passes everything to another ledger, except the changes that are to fail.
class failing_ledger final : public ocrpipe::ledger
{
public:
    using decision = std::function<change_outcome(std::string_view change)>;

    /// `next` is called for each change, with the name of its function.
    failing_ledger(std::unique_ptr<ledger> inner, decision next)
        : inner_(std::move(inner)), next_(std::move(next))
    {
    }

    bool survives_process() const noexcept override { return inner_->survives_process(); }
    ocrpipe::result<std::optional<ocrpipe::ledger_row>> find(std::string_view id) override
    {
        return inner_->find(id);
    }
    ocrpipe::result<std::optional<ocrpipe::known_document>> look_up(std::string_view id,
                                                                    std::string_view path, std::uint64_t size,
                                                                    std::int64_t mtime_ns,
                                                                    std::string_view parameters) override
    {
        return inner_->look_up(id, path, size, mtime_ns, parameters);
    }
    ocrpipe::result<std::optional<ocrpipe::ledger_row>> find_request(std::string_view request_id) override
    {
        return inner_->find_request(request_id);
    }
    ocrpipe::result<std::optional<ocrpipe::ledger_row>>
    find_done_by_content(std::string_view sha256, std::string_view parameters) override
    {
        return inner_->find_done_by_content(sha256, parameters);
    }
    ocrpipe::result<std::vector<ocrpipe::ledger_row>> rows(ocrpipe::document_states in, std::uint64_t& cursor,
                                                           std::size_t limit) override
    {
        return inner_->rows(in, cursor, limit);
    }
    ocrpipe::result<std::vector<ocrpipe::ledger_row>> incomplete_rows(bool settled_too, std::uint64_t& cursor,
                                                                      std::size_t limit) override
    {
        return inner_->incomplete_rows(settled_too, cursor, limit);
    }
    ocrpipe::result<std::vector<std::string>> documents_lacking_parts() override
    {
        return inner_->documents_lacking_parts();
    }
    ocrpipe::result<std::vector<ocrpipe::missing_part>> missing_parts(std::string_view id, std::uint64_t from,
                                                                      std::size_t limit) override
    {
        return inner_->missing_parts(id, from, limit);
    }
    ocrpipe::result<ocrpipe::document_counts> counts() override { return inner_->counts(); }
    ocrpipe::result<std::optional<ocrpipe::result_location>> last_result_location() override
    {
        return inner_->last_result_location();
    }
    ocrpipe::result<std::optional<std::string>> metadata(std::string_view key) override
    {
        return inner_->metadata(key);
    }
    void sync_results_with(std::function<ocrpipe::error_code()> sync) override
    {
        inner_->sync_results_with(std::move(sync));
    }
    ocrpipe::result<std::uint64_t> interrupted_intents_to_ambiguous() override
    {
        return inner_->interrupted_intents_to_ambiguous();
    }

    void admit_intent(ocrpipe::ledger_document d, std::optional<ocrpipe::row_version> seen,
                      ocrpipe::ledger_handler h) override
    {
        make(
            "admit_intent", [&](auto x) { inner_->admit_intent(std::move(d), seen, std::move(x)); },
            std::move(h));
    }
    void submitted(std::string id, ocrpipe::submit_record what, ocrpipe::ledger_handler h) override
    {
        make(
            "submitted", [&](auto x) { inner_->submitted(id, std::move(what), std::move(x)); }, std::move(h));
    }
    void finished(std::string id, ocrpipe::finish_record what, ocrpipe::ledger_handler h) override
    {
        make("finished", [&](auto x) { inner_->finished(id, std::move(what), std::move(x)); }, std::move(h));
    }
    void parts_fetched(std::string id, ocrpipe::parts_record what, ocrpipe::ledger_handler h) override
    {
        make(
            "parts_fetched", [&](auto x) { inner_->parts_fetched(id, std::move(what), std::move(x)); },
            std::move(h));
    }
    void not_sent(std::string id, ocrpipe::ledger_handler h) override
    {
        make("not_sent", [&](auto x) { inner_->not_sent(id, std::move(x)); }, std::move(h));
    }
    void skip(ocrpipe::ledger_document d, ocrpipe::skip_record what, ocrpipe::ledger_handler h) override
    {
        make("skip", [&](auto x) { inner_->skip(std::move(d), what, std::move(x)); }, std::move(h));
    }
    void set_metadata(std::string key, std::string value, ocrpipe::ledger_handler h) override
    {
        make("set_metadata", [&](auto x) { inner_->set_metadata(key, value, std::move(x)); }, std::move(h));
    }
    void index_content(ocrpipe::ledger_handler h) override
    {
        make("index_content", [&](auto x) { inner_->index_content(std::move(x)); }, std::move(h));
    }
    void flush(ocrpipe::ledger_handler h) override
    {
        inner_->flush(broken_ ? fails_with(ocrpipe::errc::ledger_failed, std::move(h)) : std::move(h));
    }

    std::optional<ocrpipe::failure> broken() const override
    {
        if (!broken_) return inner_->broken();
        return ocrpipe::failure(ocrpipe::errc::ledger_failed, ocrpipe::phase::none, "the commit failed",
                                ocrpipe::error_code(EIO, boost::system::system_category()));
    }
    ocrpipe::error_code close() override { return inner_->close(); }

private:
    static ocrpipe::ledger_handler fails_with(ocrpipe::errc e, ocrpipe::ledger_handler h)
    {
        return [e, h = std::move(h)](ocrpipe::error_code) mutable {
            if (h) h(make_error_code(e));
        };
    }

    template<class Change>
    void make(std::string_view name, Change change, ocrpipe::ledger_handler h)
    {
        using enum change_outcome;
        change_outcome const how = broken_ ? lost : next_(name);
        if (how == made) return change(std::move(h));
        broken_ = how != refused;
        auto const e = how == refused ? ocrpipe::errc::invalid_argument : ocrpipe::errc::ledger_failed;
        if (how == made_unnoticed) return change(fails_with(e, std::move(h)));
        // The inner ledger calls the handler in its turn.
        inner_->flush(fails_with(e, std::move(h)));
    }

    std::unique_ptr<ledger> const inner_;
    decision const next_;
    bool broken_ = false;
};

#endif

#ifndef OCRPIPE_TESTS_SUPPORT_OPEN_LEDGER_HPP
#define OCRPIPE_TESTS_SUPPORT_OPEN_LEDGER_HPP

#include <ocrpipe/bulk/ledger/ledger.hpp>
#include <ocrpipe/bulk/ledger/memory_ledger.hpp>
#include <ocrpipe/bulk/ledger/sqlite_ledger.hpp>
#include <ocrpipe/core/sha256.hpp>

#include "support/temp_directory.hpp"

#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

inline std::string hash_of(std::string_view content) { return ocrpipe::to_hex(ocrpipe::sha256(content)); }

/// A document whose content is its id, unless told otherwise.
inline ocrpipe::ledger_document document_named(std::string id, std::string_view content = {})
{
    ocrpipe::ledger_document d;
    d.sha256 = hash_of(content.empty() ? id : content);
    d.id = std::move(id);
    d.path = "in/" + d.id;
    d.size = 17;
    d.mtime_ns = 1'700'000'000'123'456'789;
    d.flow = "single";
    d.doc_type = "invoice";
    d.parameters = ocrpipe::parameters_fingerprint(d.flow, d.doc_type, d.type);
    return d;
}

inline ocrpipe::submit_record request(std::string id)
{
    ocrpipe::submit_record r;
    r.request_id = std::move(id);
    return r;
}

inline ocrpipe::finish_record done_at(ocrpipe::result_location where, int polls = 1)
{
    ocrpipe::finish_record f;
    f.result = where;
    f.polls = polls;
    return f;
}

inline ocrpipe::missing_part lacking(std::uint64_t place, std::string sub_id,
                                     ocrpipe::errc failure = ocrpipe::errc::ok, std::string message = {})
{
    ocrpipe::missing_part p;
    p.place = place;
    p.kind = ocrpipe::operation::stamp;
    p.index = place + 1;
    p.sub_id = std::move(sub_id);
    p.failure = failure;
    p.message = std::move(message);
    return p;
}

inline ocrpipe::finish_record ended(ocrpipe::document_state s, ocrpipe::errc e, std::string message = {})
{
    ocrpipe::finish_record f;
    f.state = s;
    f.failure = e;
    f.message = std::move(message);
    return f;
}

/// A ledger and the io_context on which its handlers run. Changes in SQLite are committed when the test asks
/// for it.
class open_ledger
{
public:
    explicit open_ledger(std::filesystem::path const& folder, std::string vfs = {})
        : open_ledger(options_for(folder, std::move(vfs)))
    {
    }
    explicit open_ledger(ocrpipe::sqlite_ledger_options options) : options_(std::move(options))
    {
        options_->now = clock();
        open();
    }

    static ocrpipe::sqlite_ledger_options options_for(std::filesystem::path const& folder,
                                                      std::string vfs = {})
    {
        ocrpipe::sqlite_ledger_options o;
        o.path = (folder / "ledger.db").string();
        o.max_batch_rows = 1'000'000;
        o.max_delay = std::chrono::hours(1);
        o.vfs = std::move(vfs);
        return o;
    }

    /// Closes the ledger and opens it again, as a later process would; one in memory stays as it is.
    void reopen()
    {
        if (options_) {
            CHECK_FALSE(ledger_->close());
            open();
        }
    }

    ocrpipe::ledger* operator->() const
    {
        REQUIRE_MESSAGE(ledger_, to_string(*opening_failure));
        return ledger_.get();
    }

    std::shared_ptr<ocrpipe::ledger> const& share() const { return ledger_; }

    /// Runs the handlers of all changes requested so far.
    void settle()
    {
        (*this)->flush({});
        ioc.restart();
        ioc.run();
    }

    /// Makes one change, given its handler, and returns the outcome.
    template<class Change>
    ocrpipe::error_code outcome(Change change)
    {
        std::optional<ocrpipe::error_code> seen;
        change([&seen](ocrpipe::error_code ec) { seen = ec; });
        settle();
        REQUIRE(seen);
        return *seen;
    }

    /// The version of the row, if there is one.
    std::optional<ocrpipe::row_version> seen(std::string_view id)
    {
        auto const now = (*this)->find(id);
        return now && *now ? std::optional((**now).version()) : std::nullopt;
    }
    /// For a document without a row. Does not read: a reader prevents that the log is restarted.
    ocrpipe::error_code first_intent(ocrpipe::ledger_document d)
    {
        return outcome([&](auto h) { (*this)->admit_intent(std::move(d), std::nullopt, std::move(h)); });
    }
    ocrpipe::error_code intent(ocrpipe::ledger_document d)
    {
        auto const now = seen(d.id);
        return outcome([&](auto h) { (*this)->admit_intent(std::move(d), now, std::move(h)); });
    }
    ocrpipe::error_code submitted(std::string id, ocrpipe::submit_record r)
    {
        return outcome([&](auto h) { (*this)->submitted(std::move(id), std::move(r), std::move(h)); });
    }
    ocrpipe::error_code finished(std::string id, ocrpipe::finish_record r)
    {
        return outcome([&](auto h) { (*this)->finished(std::move(id), std::move(r), std::move(h)); });
    }
    ocrpipe::error_code parts_fetched(std::string id, ocrpipe::parts_record r)
    {
        return outcome([&](auto h) { (*this)->parts_fetched(std::move(id), std::move(r), std::move(h)); });
    }
    ocrpipe::error_code not_sent(std::string id)
    {
        return outcome([&](auto h) { (*this)->not_sent(std::move(id), std::move(h)); });
    }
    ocrpipe::error_code skip(ocrpipe::ledger_document d, ocrpipe::skip_record r)
    {
        return outcome([&](auto h) { (*this)->skip(std::move(d), std::move(r), std::move(h)); });
    }
    /// Copies the result that the other document has now.
    ocrpipe::error_code skip(ocrpipe::ledger_document d, std::string const& duplicate_of)
    {
        auto const original = (*this)->find(duplicate_of).value();
        auto const from = original ? original->result : std::nullopt;
        return skip(std::move(d), {duplicate_of, from.value_or(ocrpipe::result_location()), {1, 1000, 10}});
    }

    /// The parts that a result lacks, as "place kind index sub_id class message" each.
    std::string missing_parts(std::string_view id, std::uint64_t from = 0, std::size_t limit = 100)
    {
        std::string told;
        for (ocrpipe::missing_part const& p : (*this)->missing_parts(id, from, limit).value()) {
            told += std::to_string(p.place) + ' ' + std::string(name(p.kind)) + ' ' + std::to_string(p.index);
            told += ' ' + p.sub_id + ' ' + std::string(name(p.failure)) + ' ' + p.message + '\n';
        }
        return told;
    }

    /// The row, which must be there.
    ocrpipe::ledger_row row(std::string_view id)
    {
        std::optional<ocrpipe::ledger_row> r = (*this)->find(id).value();
        REQUIRE_MESSAGE(r, std::string(id));
        return std::move(*r);
    }

    boost::asio::io_context ioc{1};
    std::int64_t now_ms = 1'000;
    std::optional<ocrpipe::failure> opening_failure;

protected:
    struct in_memory {
    };
    explicit open_ledger(in_memory) : ledger_(ocrpipe::make_memory_ledger(ioc, clock())) {}

private:
    std::function<std::chrono::system_clock::time_point()> clock()
    {
        return [this] { return std::chrono::system_clock::time_point(std::chrono::milliseconds(now_ms)); };
    }
    void open()
    {
        auto opened = ocrpipe::open_sqlite_ledger(ioc, *options_);
        if (!opened)
            opening_failure = opened.error();
        else
            ledger_ = std::move(*opened);
    }

    std::optional<ocrpipe::sqlite_ledger_options> options_; ///< if it is in SQLite
    std::shared_ptr<ocrpipe::ledger> ledger_;
};

/// The two ledgers that obey the contract of ocrpipe::ledger, for TEST_CASE_TEMPLATE.
class sqlite_ledger_in_folder : private temp_directory, public open_ledger
{
public:
    sqlite_ledger_in_folder() : open_ledger(temp_directory::path()) {}
};
class ledger_in_memory : public open_ledger
{
public:
    ledger_in_memory() : open_ledger(in_memory()) {}
};

#endif

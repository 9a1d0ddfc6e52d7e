// export --parts: tables, signatures, stamps and images of existing results, fetched by GET.

#include <ocrpipe/api/ocr_result.hpp>
#include <ocrpipe/bulk/output/jsonl_file.hpp>
#include <ocrpipe/bulk/output/part_files.hpp>
#include <ocrpipe/bulk/source/input_window.hpp>
#include <ocrpipe/client.hpp>
#include <ocrpipe/core/json_text.hpp>
#include <ocrpipe/core/unique_fd.hpp>

#include "export_command.hpp"
#include "file_limit.hpp"
#include "interruption.hpp"
#include "remedy.hpp"
#include "standard_output.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <fcntl.h>
#include <optional>
#include <string>
#include <unistd.h>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace ocrpipe::cli
{
namespace
{

/// Maximum number of failures shown individually: a log must not grow with the number of documents.
constexpr std::uint64_t most_shown = 200;

/// One part of one document.
struct wanted_part {
    operation kind = operation::table;
    std::string id;       ///< ours
    std::string document; ///< likewise; for a duplicate, the id of the document whose result it shares
    std::string path;
    std::string request_id;
    std::string sub_id; ///< the service's document_id; for an image, its file_id
    std::size_t index = 0;
    std::string begun_line; ///< exported_line()

    word_key key() const { return word_key({name(kind), request_id, sub_id}); }
};

/// The outcome of a part: its file, or empty if the service has no such part.
using part_outcome = std::optional<std::string>;

class part_export
{
public:
    part_export(exported_results& results, export_plan const& p, client_options const& options, logger& log)
        : results_(results)
        , kinds_(p.parts)
        , profile_(options.profile)
        , log_(log)
        , list_path_(results.directory() + "/exported-parts.jsonl")
        , files_(results.directory(), "parts")
        , at_once_(std::clamp<std::size_t>(4 * options.pool.part_connections, 8, 256))
        , client_(ioc_, options)
        , interruption_(ioc_, [this](int times) {
            stopped_ = true;
            if (times > 1) client_.close();
        })
    {
    }

    exit_code carry_out()
    {
        read_list();
        if (error_code const ec = list_.open(list_path_)) return output_failed(list_path_, ec, log_);
        // Duplicates share parts, so handle them after all others have been fetched.
        for (copies_ = false;; copies_ = true) {
            results_.rewind();
            read_to_end_ = false;
            fill();
            while (in_flight_ > 0 && ioc_.run_one() != 0)
                fill();
            if (copies_ || stopped_) break;
        }
        return conclude();
    }

private:
    /// Loads the results of earlier exports. A file removed since is fetched again.
    void read_list()
    {
        unique_fd fd(::open(list_path_.c_str(), O_RDONLY | O_CLOEXEC));
        if (!fd) return;
        detail::record_reader lines(std::move(fd), '\n');
        std::string_view line;
        using outcome = detail::record_reader::outcome;
        for (outcome o; (o = lines.next(line)) == outcome::record || o == outcome::too_long;) {
            boost::system::error_code ec;
            boost::json::parse_options how;
            how.allow_invalid_utf8 = true;
            boost::json::value const v = boost::json::parse(o == outcome::record ? line : "", ec, {}, how);
            if (ec || !v.is_object()) continue;
            auto const text = [&](std::string_view k) {
                auto const* const m = v.get_object().if_contains(k);
                return m && m->is_string() ? std::string(m->get_string()) : std::string();
            };
            auto const name_of = [&](std::string const& k) {
                std::string const bytes = text(k + "_bytes");
                return bytes.empty() ? text(k) : detail::percent_decoded(bytes).value_or("");
            };
            std::string const kind = text("kind");
            std::string const sub_id = text(kind == "image" ? "file_id" : "document_id");
            note(word_key({kind, text("request_id"), sub_id}), text("file"), text("error"));
            listed_.insert(word_key({name_of("id"), kind, text("request_id"), sub_id, text("file")}));
        }
    }

    void note(word_key const& key, std::string file, std::string const& error)
    {
        if (!file.empty() && ::access((results_.directory() + "/" + file).c_str(), F_OK) == 0)
            known_.insert_or_assign(key, part_outcome(std::move(file)));
        else if (error == name(errc::part_absent))
            known_.insert_or_assign(key, part_outcome());
    }

    /// Starts fetching parts until enough are in flight.
    void fill()
    {
        while (in_flight_ < at_once_ && !stopped_) {
            if (next_.empty() && !read_more()) return;
            if (next_.empty()) continue;
            wanted_part part = std::move(next_.front());
            next_.pop_front();
            if (auto const known = known_.find(part.key()); known != known_.end())
                take_known(part, known->second);
            else
                fetch(std::move(part));
        }
    }

    /// Queues the parts of the next result; returns false at the end.
    bool read_more()
    {
        if (read_to_end_) return false;
        result<std::optional<result_line>> const line = results_.next();
        if (!line || !*line) {
            read_to_end_ = true;
            if (!line) stop(refuse(line.error(), "the export ended early", log_));
            return false;
        }
        if ((**line).duplicate_of.empty() != copies_) take(**line);
        return true;
    }

    void take(result_line const& line)
    {
        // Those that the run found absent may be there now: each is asked for once more.
        for (part_entry const& p : line.parts)
            note(word_key({name(p.kind), line.request_id, p.sub_id}), p.file, {});
        ocr_result const answer(line.request_id, std::string(line.result_json), completeness::whole, 0);
        std::vector<ocr_document> documents;
        for (operation const kind : kinds_) {
            std::size_t index = 0;
            if (kind == operation::image) {
                for (std::string const& id : images_of(line))
                    want(line, kind, ++index, id);
                continue;
            }
            if (documents.empty()) documents = answer.documents(profile_);
            for (ocr_document const& d : documents)
                if (++index; !d.id.empty()) want(line, kind, index, d.id);
        }
    }

    void want(result_line const& line, operation kind, std::size_t index, std::string const& sub_id)
    {
        for (part_entry const& p : line.parts)
            if (p.kind == kind && p.sub_id == sub_id && !p.file.empty() &&
                known_.contains(word_key({name(kind), line.request_id, sub_id}))) {
                ++there_;
                return;
            }
        wanted_part w;
        w.kind = kind;
        w.id = line.id;
        w.document = line.duplicate_of.empty() ? line.id : line.duplicate_of;
        w.path = line.path;
        w.request_id = line.request_id;
        w.sub_id = sub_id;
        w.index = index;
        w.begun_line = exported_line(line);
        next_.push_back(std::move(w));
    }

    /// The image ids of a result came with the answer to its submit, so only the ledger has them.
    std::vector<std::string> images_of(result_line const& line)
    {
        std::string const& id = line.duplicate_of.empty() ? line.id : line.duplicate_of;
        std::optional<ledger_row> row = results_.row(id);
        if (row && row->request_id == line.request_id) return std::move(row->file_ids);
        ++failed_;
        say(message(level::warn, "part_failed",
                    fmt::format("{}: the file ids of its images are unknown: restore ledger.db", line.path),
                    {{"path", line.path}, {"id", line.id}}));
        return {};
    }

    void take_known(wanted_part& part, part_outcome const& outcome)
    {
        ++(outcome ? there_ : absent_);
        list(part, outcome);
    }

    void fetch(wanted_part part)
    {
        ++in_flight_;
        operation const kind = part.kind;
        std::string const request_id = part.request_id;
        std::string const sub_id = part.sub_id;
        client_.async_part(kind, request_id, sub_id,
                           [this, w = std::move(part)](result<part_data> data) mutable {
                               --in_flight_;
                               fetched(w, std::move(data));
                           });
    }

    void fetched(wanted_part& w, result<part_data> data)
    {
        if (data) {
            result<std::string> written = files_.write(w.document, w.kind, w.index, data->raw);
            if (!written) return stop(output_failed(written.error().reason, written.error().cause, log_));
            ++fetched_;
            known_.insert_or_assign(w.key(), part_outcome(*written));
            return list(w, std::move(*written));
        }
        failure const& f = data.error();
        if (f.is(errc::part_absent)) {
            ++absent_;
            known_.insert_or_assign(w.key(), part_outcome());
            return list(w, std::nullopt);
        }
        if (stopped_ && (f.is(errc::client_closed) || f.is(errc::cancelled))) return;
        ++failed_;
        bool const ends = f.is(errc::unauthorized) || f.is(errc::wrong_base_url);
        if (ends && stopped_) return;
        message m = describe(ends ? level::error : level::warn, "part_failed",
                             fmt::format("{}: {} {} of {}", w.path, name(w.kind), w.sub_id, w.request_id), f);
        m.fields.push_back({"path", w.path});
        say(std::move(m));
        if (ends) stop(exit_code_of(f));
    }

    void list(wanted_part const& w, part_outcome const& outcome)
    {
        word_key const key({w.id, name(w.kind), w.request_id, w.sub_id, outcome ? *outcome : std::string()});
        if (!listed_.insert(key).second) return;
        std::string line = w.begun_line;
        detail::append_json_string(line += ",\"kind\":", name(w.kind));
        detail::append_json_string(line += w.kind == operation::image ? ",\"file_id\":" : ",\"document_id\":",
                                   w.sub_id);
        detail::append_json_string(line += outcome ? ",\"file\":" : ",\"error\":",
                                   outcome ? std::string_view(*outcome) : name(errc::part_absent));
        if (error_code const ec = list_.append(line += "}\n")) stop(output_failed(list_path_, ec, log_));
    }

    void stop(exit_code why)
    {
        stopped_ = true;
        code_ = worst(code_, why);
        client_.close();
    }

    void say(message m)
    {
        if (++said_ <= most_shown)
            log_.write(m);
        else if (said_ == most_shown + 1)
            log_.write(message(level::warn, "complaints_cut", "further failures are only counted"));
    }

    exit_code conclude()
    {
        unique_fd const folder(::open(results_.directory().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!folder || ::syncfs(folder.get()) != 0)
            stop(output_failed(results_.directory(), errno_code(), log_));
        std::string said =
            fmt::format("{} parts fetched, {} were there already, {} absent", fetched_, there_, absent_);
        if (failed_ > 0) said += fmt::format(", {} failed", failed_);
        if (failed_ > 0 || stopped_) said += ": run the same command again for the rest";
        log_.write(
            message(failed_ > 0 || stopped_ ? level::warn : level::info, "exported", std::move(said),
                    {{"fetched", fetched_}, {"there", there_}, {"absent", absent_}, {"failed", failed_}}));
        code_ = worst(worst(code_, interruption_.code()), results_.code());
        if (failed_ > 0) code_ = worst(code_, exit_code::documents_failed);
        return worst(code_, deliver(list_path_ + "\n", "-", "the list's path", log_));
    }

    exported_results& results_;
    std::vector<operation> const kinds_;
    response_profile const profile_;
    logger& log_;
    std::string const list_path_;
    part_files files_;
    std::size_t const at_once_;
    boost::asio::io_context ioc_{1};
    client client_;
    interruption interruption_;
    detail::jsonl_file list_;
    std::unordered_map<word_key, part_outcome, word_key::hash> known_;
    std::unordered_set<word_key, word_key::hash> listed_; ///< lines of the list
    std::deque<wanted_part> next_;
    bool copies_ = false;
    bool read_to_end_ = false;
    bool stopped_ = false;
    std::size_t in_flight_ = 0;
    std::uint64_t fetched_ = 0;
    std::uint64_t there_ = 0;
    std::uint64_t absent_ = 0;
    std::uint64_t failed_ = 0;
    std::uint64_t said_ = 0;
    exit_code code_ = exit_code::all_done;
};

} // namespace

exit_code export_parts(exported_results& results, export_plan const& p, client_options const& options,
                       logger& log)
{
    if (auto const m = file_limit_message(raise_file_limit(options.pool))) log.write(*m);
    part_export work(results, p, options, log);
    return work.carry_out();
}

} // namespace ocrpipe::cli

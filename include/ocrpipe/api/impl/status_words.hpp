#ifndef OCRPIPE_API_IMPL_STATUS_WORDS_HPP
#define OCRPIPE_API_IMPL_STATUS_WORDS_HPP

#include <ocrpipe/api/answer_facts.hpp>
#include <ocrpipe/api/profile.hpp>
#include <ocrpipe/core/words.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe::detail
{

/// The words of a status in lower case: "JOB_STATE_RUNNING" has three, "notStarted" two.
inline std::vector<std::string> words_of_status(std::string_view text)
{
    std::vector<std::string> out;
    bool before_small = false;
    bool inside = false;
    for (char const c : text) {
        bool const upper = c >= 'A' && c <= 'Z';
        bool const letter = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                            static_cast<unsigned char>(c) >= 0x80;
        if (letter && (!inside || (upper && before_small))) out.emplace_back();
        if (letter) out.back() += lower(c);
        inside = letter;
        before_small = letter && !upper;
    }
    return out;
}

/// Guesses the meaning of a status that is in no list of the profile, from its words. Failure outranks
/// pending, and pending outranks success. A word for success after "not" means pending. Assumed: all of it.
inline job_status guess_status(std::string_view text)
{
    using enum job_status;
    auto const holds = [&](auto const& list) {
        return std::any_of(list.begin(), list.end(), [&](auto w) { return text.find(w) != text.npos; });
    };
    static constexpr auto failed = std::to_array<std::string_view>({"thất bại", "Thất bại", "lỗi", "Lỗi"});
    static constexpr auto waiting = std::to_array<std::string_view>({"đang", "Đang", "chờ", "Chờ"});
    static constexpr auto done = std::to_array<std::string_view>(
        {"hoàn thành", "Hoàn thành", "thành công", "Thành công", "hoàn tất", "Hoàn tất"});
    if (holds(failed)) return failure;
    if (holds(waiting)) return pending;
    if (holds(done)) return success;

    static constexpr auto failures =
        std::to_array<std::string_view>({"fail", "error", "reject", "cancel", "abort", "expire", "invalid",
                                         "unsuccess", "timeout", "timedout", "stopped", "deleted", "denied"});
    static constexpr auto pendings =
        std::to_array<std::string_view>({"pending", "queue", "progress", "submitted", "accepted", "received",
                                         "scheduled", "created", "started"});
    static constexpr auto under_way = std::to_array<std::string_view>(
        {"processing", "running", "waiting",   "queuing",    "analyzing",  "analysing",
         "extracting", "parsing", "uploading", "importing",  "converting", "recognizing",
         "scanning",   "reading", "splitting", "loading",    "starting",   "initializing",
         "indexing",   "working", "executing", "classifying"});
    static constexpr auto successes = std::to_array<std::string_view>(
        {"success", "succeed", "complete", "done", "finish", "processed", "ready"});
    auto const begins = [](std::string const& word, auto const& list) {
        return std::any_of(list.begin(), list.end(), [&](auto w) { return word.starts_with(w); });
    };
    bool fails = false;
    bool waits = false;
    bool succeeds = false;
    bool negated = false;
    bool after_with = false; // "completed with errors" is a success
    std::vector<std::string> const words = words_of_status(text);
    // Vietnamese without diacritics.
    auto const follow = [&](std::string_view a, std::string_view b) {
        for (std::size_t i = 0; i + 1 < words.size(); ++i)
            if (words[i] == a && words[i + 1] == b) return true;
        return false;
    };
    if (follow("that", "bai") || (words.size() == 1 && words[0] == "loi")) return failure;
    if (follow("dang", "xu") || follow("dang", "cho") || (words.size() == 1 && words[0] == "dangxuly"))
        return pending;
    if (follow("hoan", "thanh") || follow("thanh", "cong") || follow("hoan", "tat")) return success;
    for (std::string const& word : words) {
        fails = fails || (begins(word, failures) && !negated && !after_with);
        waits = waits || begins(word, pendings) || begins(word, under_way);
        if (begins(word, successes)) (negated ? waits : succeeds) = true;
        after_with = word == "with" || word == "without";
        negated = word == "not" || word == "un" || word == "no";
    }
    if (fails) return failure;
    if (waits) return pending;
    return succeeds ? success : unknown;
}

/// The meaning of a status. The profile's words come before the guess.
inline job_status status_of(std::string_view text, response_profile const& profile)
{
    if (text.empty()) return job_status::unknown;
    if (is_word_of(text, profile.success_words)) return job_status::success;
    if (is_word_of(text, profile.pending_words)) return job_status::pending;
    if (is_word_of(text, profile.failure_words)) return job_status::failure;
    return guess_status(text);
}

/// Whether a short text says that the job is in progress, such as "Document is being processed".
inline bool mentions_waiting(std::string_view text)
{
    static constexpr auto phrases = std::to_array<std::string_view>(
        {"processing", "being processed", "please wait", "in progress", "not ready", "not finished", "queued",
         "in queue", "still running", "try again later"});
    static constexpr auto vietnamese = std::to_array<std::string_view>(
        {"đang xử lý", "Đang xử lý", "đang chờ", "Đang chờ", "vui lòng chờ", "Vui lòng chờ"});
    if (text.size() > 100) return false;
    return std::any_of(phrases.begin(), phrases.end(), [&](auto p) { return contains_letters(text, p); }) ||
           std::any_of(vietnamese.begin(), vietnamese.end(),
                       [&](auto p) { return text.find(p) != text.npos; });
}

} // namespace ocrpipe::detail

#endif

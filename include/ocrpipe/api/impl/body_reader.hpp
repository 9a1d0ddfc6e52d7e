#ifndef OCRPIPE_API_IMPL_BODY_READER_HPP
#define OCRPIPE_API_IMPL_BODY_READER_HPP

#include <ocrpipe/api/body_facts.hpp>
#include <ocrpipe/api/impl/status_words.hpp>
#include <ocrpipe/api/json_events.hpp>
#include <ocrpipe/core/words.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe::detail
{

/// The position of a value in an answer.
enum class place : std::uint8_t {
    elsewhere, ///< below an unused key
    top,
    data,
    request_id,
    file_ids,
    status,
    progress,
    total,
    ignored,
    finished,
    documents,
    document,
    document_id,
    document_type,
    document_status,
    classification,
    content, ///< ocr_data, an array in it, or a field in it
    field_name,
    values, ///< a field's values, or one of them
    value_name,
    text,
    probability,
    coordinates,
    schema,
    table,
    error,
    code,
};

/// A member `key` of the object at `parent` is at `child`.
struct member_row {
    place parent;
    place child;
    response_profile::words response_profile::*keys;
};

inline constexpr std::array member_rows{
    member_row{place::top, place::data, &response_profile::data_keys},
    member_row{place::top, place::request_id, &response_profile::request_id_keys},
    member_row{place::top, place::file_ids, &response_profile::file_ids_keys},
    member_row{place::top, place::status, &response_profile::status_keys},
    member_row{place::top, place::progress, &response_profile::progress_keys},
    member_row{place::top, place::documents, &response_profile::documents_keys},
    member_row{place::top, place::error, &response_profile::error_keys},
    member_row{place::top, place::code, &response_profile::code_keys},
    member_row{place::data, place::request_id, &response_profile::request_id_keys},
    member_row{place::data, place::file_ids, &response_profile::file_ids_keys},
    member_row{place::data, place::status, &response_profile::status_keys},
    member_row{place::data, place::progress, &response_profile::progress_keys},
    member_row{place::data, place::documents, &response_profile::documents_keys},
    member_row{place::error, place::code, &response_profile::code_keys},
    member_row{place::progress, place::total, &response_profile::total_keys},
    member_row{place::progress, place::ignored, &response_profile::ignored_keys},
    member_row{place::progress, place::finished, &response_profile::finished_keys},
    member_row{place::document, place::document_id, &response_profile::document_id_keys},
    member_row{place::document, place::document_type, &response_profile::document_type_keys},
    member_row{place::document, place::document_status, &response_profile::status_keys},
    member_row{place::document, place::classification, &response_profile::classification_keys},
    member_row{place::document, place::content, &response_profile::content_keys},
    member_row{place::document, place::schema, &response_profile::schema_keys},
    member_row{place::document, place::table, &response_profile::table_keys},
    member_row{place::schema, place::table, &response_profile::table_keys},
    member_row{place::content, place::field_name, &response_profile::name_keys},
    member_row{place::content, place::values, &response_profile::values_keys},
    member_row{place::content, place::text, &response_profile::text_keys},
    member_row{place::values, place::value_name, &response_profile::name_keys},
    member_row{place::values, place::text, &response_profile::text_keys},
    member_row{place::values, place::values, &response_profile::values_keys},
    member_row{place::values, place::probability, &response_profile::probability_keys},
    member_row{place::values, place::coordinates, &response_profile::coordinates_keys},
};

/// The indexes of a parent's rows, which are adjacent.
struct row_range {
    std::uint8_t first = 0;
    std::uint8_t last = 0;
};

inline constexpr auto rows_by_parent = [] {
    std::array<row_range, static_cast<std::size_t>(place::code) + 1> ranges{};
    for (std::uint8_t i = 0; i != member_rows.size(); ++i) {
        row_range& r = ranges[static_cast<std::size_t>(member_rows[i].parent)];
        if (r.last == 0) r.first = i;
        r.last = i + 1;
    }
    return ranges;
}();

/// What an element of an array at `p` is.
constexpr place element_of(place p) noexcept
{
    switch (p) {
    // Assumed: an array where the envelope's object should be is the list of documents.
    case place::data:
    case place::documents:
        return place::document;
    // Arrays in these nest without a change of meaning.
    case place::file_ids:
    case place::content:
    case place::values:
    case place::coordinates:
    case place::table:
        return p;
    case place::text:
        return place::values;
    default:
        return place::elsewhere;
    }
}

/// A scalar as it was written; a string without its quotes and escapes.
struct scalar {
    enum class kind { null, truth, number, string } what;
    std::string_view text;

    /// Whether it is null or an empty string.
    bool is_empty() const noexcept { return what == kind::null || text.empty(); }
};

/// The number in a scalar, limited to 10^12 so that sums of counts cannot overflow.
inline std::int64_t to_count(scalar const& s) noexcept
{
    constexpr std::int64_t most = 1'000'000'000'000;
    std::int64_t n = 0;
    std::from_chars(s.text.data(), s.text.data() + s.text.size(), n);
    return std::clamp(n, -most, most);
}

/// A value that several keys may give. The key that comes first in the profile's list wins.
template<class T>
struct ranked {
    static constexpr std::size_t no_rank = static_cast<std::size_t>(-1);

    T value{};
    std::size_t rank = no_rank; ///< of the value's key in the list

    bool is_set() const noexcept { return rank != no_rank; }
    template<class U>
    void offer(U const& candidate, std::size_t at_rank)
    {
        if (at_rank >= rank) return;
        value = candidate;
        rank = at_rank;
    }
};

/// The reader of known forms: turns the parser's events into facts, in one pass.
class body_handler
{
public:
    enum class file_ids { keep, ignore };

    body_handler(response_profile const& profile, file_ids ids)
        : profile_(profile), keeps_file_ids_(ids == file_ids::keep)
    {
    }

    /// The facts, after the last event. Call it once.
    body_facts finish();

    void key(json_string const& s)
    {
        if (s.escaped)
            find_member(unescaped(s));
        else
            find_member(s.raw);
    }
    void string(json_string const& s)
    {
        // An unused text is only checked for emptiness.
        if (s.escaped && reads_text())
            read({scalar::kind::string, unescaped(s)});
        else
            read({scalar::kind::string, s.raw});
    }
    void number(std::string_view s) { read({scalar::kind::number, s}); }
    void truth(bool b) { read({scalar::kind::truth, b ? "true" : "false"}); }
    void null() { read({scalar::kind::null, {}}); }
    bool open(bool is_object);
    void close(bool empty);

private:
    struct frame {
        place at;
        bool is_object;
    };

    /// The facts about the job at one level: in the envelope, or at the top.
    struct job {
        ranked<std::string> request_id;
        std::vector<std::string> file_ids;
        ranked<std::string> status;
        ranked<std::int64_t> total;
        ranked<std::int64_t> ignored;
        ranked<std::int64_t> finished;
        int documents = 0;
        bool lists_documents = false;
        int failed = 0;
        int filled = 0;
        bool pending = false; ///< a document's own status says so
    };

    static bool is_id(scalar const& s) noexcept { return !s.is_empty() && may_be_id(s.text); }
    static constexpr std::size_t max_word = 64;

    bool reads_text() const noexcept { return place_ <= place::document_status || place_ >= place::error; }
    job& here() noexcept { return in_data_ ? data_ : top_; }

    /// Whether the contents of the next container cannot change any fact.
    bool nothing_to_learn() const noexcept
    {
        return place_ == place::elsewhere ||
               (place_ >= place::content && place_ <= place::table && document_has_content_);
    }

    void find_member(std::string_view key);
    void next_element() noexcept
    {
        if (depth_ != 0 && !frames_[depth_ - 1].is_object) place_ = element_of(frames_[depth_ - 1].at);
    }

    void open_document();
    void close_document();

    void read(scalar const& s);
    void read_request_id(scalar const& s);
    void read_file_id(scalar const& s);
    void read_status(scalar const& s, ranked<std::string>& status);
    void read_count(scalar const& s, ranked<std::int64_t>& count);
    void read_error(scalar const& s);
    void read_error_code(scalar const& s);

    response_profile const& profile_;
    bool const keeps_file_ids_;
    std::array<frame, max_json_depth> frames_;
    std::size_t depth_ = 0;
    place place_ = place::top; ///< of the value that comes next
    std::size_t rank_ = 0;     ///< of its key in the profile's list

    job top_;
    job data_;
    bool in_data_ = false; ///< the current place is inside the envelope
    body_facts facts_;
    ranked<std::string> document_status_;
    std::string known_status_;                       ///< of an earlier document
    job_status known_meaning_ = job_status::unknown; ///< of known_status_
    bool document_has_content_ = false;
    bool has_error_ = false; ///< there is an error envelope, perhaps without a valid HTTP code
};

} // namespace ocrpipe::detail

#include <ocrpipe/api/impl/body_reader.ipp>

#endif

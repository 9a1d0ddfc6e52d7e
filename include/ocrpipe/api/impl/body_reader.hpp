#ifndef OCRPIPE_API_IMPL_BODY_READER_HPP
#define OCRPIPE_API_IMPL_BODY_READER_HPP

#include <ocrpipe/api/body_facts.hpp>
#include <ocrpipe/api/impl/words.hpp>

#include <boost/json/basic_parser_impl.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe::detail
{

/// Where in an answer a value stands.
enum class place : std::uint8_t {
    elsewhere, ///< below a key that nobody asked for
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
    message,
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
    member_row{place::top, place::message, &response_profile::message_keys},
    member_row{place::data, place::request_id, &response_profile::request_id_keys},
    member_row{place::data, place::file_ids, &response_profile::file_ids_keys},
    member_row{place::data, place::status, &response_profile::status_keys},
    member_row{place::data, place::progress, &response_profile::progress_keys},
    member_row{place::data, place::documents, &response_profile::documents_keys},
    member_row{place::error, place::code, &response_profile::code_keys},
    member_row{place::error, place::message, &response_profile::message_keys},
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

/// Text with room for the longest key that a profile may ask for; longer keys match nothing.
class key_buffer
{
public:
    void append(std::string_view s) noexcept
    {
        std::size_t const n = std::min(s.size(), chars_.size() - size_);
        s.copy(chars_.data() + size_, n);
        size_ += n;
    }
    void clear() noexcept { size_ = 0; }
    bool empty() const noexcept { return size_ == 0; }
    std::string_view view() const noexcept { return {chars_.data(), size_}; }

private:
    std::array<char, 65> chars_;
    std::size_t size_ = 0;
};

/// A scalar as it was written; a string without its quotes and escapes.
struct scalar {
    enum class kind { null, truth, number, string } what;
    std::string_view text;

    /// Whether it says anything: not null, and not an empty string.
    bool says_something() const noexcept { return what != kind::null && !text.empty(); }
};

inline std::int64_t to_count(scalar const& s) noexcept
{
    std::int64_t n = 0;
    std::from_chars(s.text.data(), s.text.data() + s.text.size(), n);
    return n;
}

/// A sink that is told nothing: the facts alone are wanted. A richer one hides some of these.
struct facts_only {
    static constexpr bool wants_texts = false; ///< whether strings in documents are needed whole
    void begin_document() {}
    void end_document(bool /*failed*/) {}
    void document_member(place, scalar const&, std::size_t /*rank*/) {}
    void begin_field() {}
    void begin_value() {}
    void end_value() {}
    void value_member(place, scalar const&) {}
    void lone_value(scalar const&) {}
};

/// The one reader of answers: turns the parser's events into facts, and tells a sink about the documents.
template<class Sink>
class body_handler
{
public:
    static constexpr std::size_t max_depth = 64;
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

    body_handler(response_profile const& profile, Sink& sink) : profile_(profile), sink_(sink) {}

    body_facts take_facts();

    bool on_document_begin(boost::json::error_code&) { return true; }
    bool on_document_end(boost::json::error_code&) { return true; }
    bool on_object_begin(boost::json::error_code&) { return open(true); }
    bool on_array_begin(boost::json::error_code&) { return open(false); }
    bool on_object_end(std::size_t n, boost::json::error_code&) { return close(n); }
    bool on_array_end(std::size_t n, boost::json::error_code&) { return close(n); }

    bool on_key_part(boost::json::string_view s, std::size_t, boost::json::error_code&)
    {
        key_.append({s.data(), s.size()});
        return true;
    }
    bool on_key(boost::json::string_view s, std::size_t, boost::json::error_code&)
    {
        if (key_.empty()) {
            find_member({s.data(), s.size()});
        } else {
            key_.append({s.data(), s.size()});
            find_member(key_.view());
            key_.clear();
        }
        return true;
    }
    bool on_string_part(boost::json::string_view s, std::size_t, boost::json::error_code&)
    {
        // A text that nobody reads is only asked whether it is empty.
        if (reads_text() || text_.empty()) text_.append(s.data(), s.size());
        return true;
    }
    bool on_string(boost::json::string_view s, std::size_t, boost::json::error_code&)
    {
        if (text_.empty()) {
            take({scalar::kind::string, {s.data(), s.size()}});
        } else {
            if (reads_text()) text_.append(s.data(), s.size());
            take({scalar::kind::string, text_});
            text_.clear();
        }
        return true;
    }
    bool on_number_part(boost::json::string_view s, boost::json::error_code&)
    {
        text_.append(s.data(), s.size());
        return true;
    }
    bool on_int64(std::int64_t, boost::json::string_view s, boost::json::error_code&) { return number(s); }
    bool on_uint64(std::uint64_t, boost::json::string_view s, boost::json::error_code&) { return number(s); }
    bool on_double(double, boost::json::string_view s, boost::json::error_code&) { return number(s); }
    bool on_bool(bool b, boost::json::error_code&)
    {
        take({scalar::kind::truth, b ? "true" : "false"});
        return true;
    }
    bool on_null(boost::json::error_code&)
    {
        take({scalar::kind::null, {}});
        return true;
    }
    bool on_comment_part(boost::json::string_view, boost::json::error_code&) { return true; }
    bool on_comment(boost::json::string_view, boost::json::error_code&) { return true; }

private:
    struct frame {
        place at;
        bool is_object;
    };

    /// What stands in the envelope and what stands at the top level; the envelope wins where there is one.
    struct job {
        std::string request_id;
        std::size_t request_id_rank = static_cast<std::size_t>(-1);
        std::vector<std::string> file_ids;
        std::string status;
        std::optional<job_progress> progress;
        int documents = 0;
        int failed = 0;
        int filled = 0;
        bool has_values = false;
    };

    /// Ids and texts longer than this are not the service's.
    static constexpr std::size_t max_id = 1024;
    static constexpr std::size_t max_word = 64;
    static constexpr std::size_t max_message = 256;

    bool reads_text() const noexcept
    {
        return Sink::wants_texts || place_ <= place::document_status || place_ >= place::error;
    }
    job& here() noexcept { return in_data_ ? data_ : top_; }

    bool number(boost::json::string_view s)
    {
        if (text_.empty()) {
            take({scalar::kind::number, {s.data(), s.size()}});
        } else {
            text_.append(s.data(), s.size());
            take({scalar::kind::number, text_});
            text_.clear();
        }
        return true;
    }

    void find_member(std::string_view key);
    void next_element() noexcept
    {
        if (depth_ != 0 && !frames_[depth_ - 1].is_object) place_ = element_of(frames_[depth_ - 1].at);
    }
    bool open(bool is_object);
    bool close(std::size_t members);
    void take(scalar const& s);
    void take_code(scalar const& s);

    response_profile const& profile_;
    Sink& sink_;
    std::array<frame, max_depth + 1> frames_;
    std::size_t depth_ = 0;
    place place_ = place::top; ///< of the value that comes next
    std::size_t rank_ = 0;     ///< of its key in the profile's list
    key_buffer key_;
    std::string text_;

    job top_;
    job data_;
    bool in_data_ = false;
    body_facts facts_;
    std::string document_status_;
    bool document_has_content_ = false;
    bool has_error_ = false; ///< an error is spoken of, without a code that HTTP knows
};

} // namespace ocrpipe::detail

#include <ocrpipe/api/impl/body_reader.ipp>

#endif

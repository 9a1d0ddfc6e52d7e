#ifndef OCRPIPE_HTTP_IMPL_ANSWER_READER_IPP
#define OCRPIPE_HTTP_IMPL_ANSWER_READER_IPP

#include <ocrpipe/http/answer_reader.hpp>
#include <ocrpipe/http/inflater.hpp>

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

namespace ocrpipe
{
namespace detail
{

namespace beast = boost::beast;

/// An endless stream of interim answers is an attack or a fault; five hints and a continue are not.
inline constexpr int max_interim_answers = 16;

/// Seconds of `timeout=N` in a Keep-Alive header; zero when there are none.
inline std::chrono::seconds keep_alive_seconds(beast::string_view value)
{
    static constexpr beast::string_view key = "timeout=";
    for (std::size_t i = 0; i + key.size() < value.size(); ++i) {
        if (!beast::iequals(value.substr(i, key.size()), key)) continue;
        unsigned seconds = 0;
        char const* const last = value.data() + value.size();
        auto const parsed = std::from_chars(value.data() + i + key.size(), last, seconds);
        if (parsed.ec == std::errc() && seconds <= 24 * 3600) return std::chrono::seconds(seconds);
    }
    return std::chrono::seconds(0);
}

/// Beast's parser writing straight into our answer: no container of fields, no body type, no copy but one.
class answer_parser final : public beast::http::basic_parser<false>
{
public:
    answer_parser(http_response& out, answer_limits const& limits) : out_(out), max_body_(limits.max_body)
    {
        header_limit(static_cast<std::uint32_t>(
            std::min<std::size_t>(limits.max_header, std::numeric_limits<std::uint32_t>::max())));
        body_limit(limits.max_body);
        skip(limits.to_connect);
    }

    bool encoding_finished() const noexcept { return !inflater_ || inflater_->finished(); }
    std::chrono::seconds keep_alive_hint() const noexcept { return keep_alive_hint_; }

private:
    using string_view = beast::string_view;
    using field = beast::http::field;

    void on_request_impl(beast::http::verb, string_view, string_view, int, error_code&) override {}
    void on_response_impl(int code, string_view, int, error_code&) override { out_.status = code; }

    void on_field_impl(field name, string_view, string_view value, error_code& ec) override
    {
        if (in_trailer_) return; // a trailer must not change what the header said
        switch (name) {
        case field::content_type:
            assign(out_.content_type, value);
            break;
        case field::retry_after:
            assign(out_.retry_after, value);
            break;
        case field::date:
            assign(out_.date, value);
            break;
        case field::location:
            assign(out_.location, value);
            break;
        case field::keep_alive:
            keep_alive_hint_ = keep_alive_seconds(value);
            break;
        case field::content_encoding:
            note_encoding(value, ec);
            break;
        case field::transfer_encoding:
            // Beast looks at the last coding only; a body that is gzip under its chunks would pass for plain.
            if (!beast::iequals(value, "chunked")) ec = make_error_code(errc::unsupported_encoding);
            break;
        default:
            break;
        }
    }

    void on_header_impl(error_code&) override { in_trailer_ = true; }

    void on_body_init_impl(boost::optional<std::uint64_t> const& length, error_code&) override
    {
        if (length && !inflater_) out_.body.reserve(static_cast<std::size_t>(*length));
    }

    std::size_t on_body_impl(string_view body, error_code& ec) override
    {
        if (inflater_)
            inflater_->decode(std::string_view(body.data(), body.size()), out_.body, max_body_, ec);
        else
            out_.body.append(body.data(), body.size());
        return body.size();
    }

    void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code& ec) override
    {
        return on_body_impl(body, ec);
    }
    void on_finish_impl(error_code&) override {}

    static void assign(std::string& to, string_view value) { to.assign(value.data(), value.size()); }

    void note_encoding(string_view value, error_code& ec)
    {
        if (value.empty() || beast::iequals(value, "identity")) return;
        bool const gzip = beast::iequals(value, "gzip") || beast::iequals(value, "x-gzip");
        if (inflater_ || (!gzip && !beast::iequals(value, "deflate")))
            ec = make_error_code(errc::unsupported_encoding);
        else
            inflater_.emplace(gzip ? inflater::format::gzip : inflater::format::deflate);
    }

    http_response& out_;
    std::uint64_t max_body_;
    std::optional<inflater> inflater_;
    std::chrono::seconds keep_alive_hint_{0};
    bool in_trailer_ = false;
};

struct answer_reader::machine {
    std::optional<answer_parser> parser;
};

OCRPIPE_DECL answer_reader::answer_reader(answer_limits const& limits)
    : limits_(limits), machine_(std::make_unique<machine>())
{
    machine_->parser.emplace(response_, limits_);
}
OCRPIPE_DECL answer_reader::~answer_reader() = default;

OCRPIPE_DECL std::chrono::seconds answer_reader::keep_alive_hint() const noexcept
{
    return machine_->parser->keep_alive_hint();
}

OCRPIPE_DECL bool answer_reader::reading() const noexcept
{
    return machine_->parser->got_some() || !pending_.empty();
}

OCRPIPE_DECL void answer_reader::start(answer_limits const& limits)
{
    limits_ = limits;
    response_ = http_response();
    machine_->parser.emplace(response_, limits_);
    pending_.clear();
    detail_.clear();
    header_bytes_ = 0;
    interim_ = 0;
    started_ = has_header_ = complete_ = keep_alive_ = surplus_ = false;
}

OCRPIPE_DECL void answer_reader::put(std::string_view bytes, error_code& ec)
{
    ec = {};
    if (bytes.empty()) return;
    if (complete_) {
        surplus_ = true;
        return;
    }
    started_ = true;
    if (pending_.empty()) {
        parse(bytes, ec);
        if (!ec && !complete_) pending_.assign(bytes);
    } else {
        pending_.append(bytes);
        // Beast 1.81 asserts five bytes when it looks again at the last chunk, which can be as short as
        // "0\r\n" the first time. No complete message ends in fewer. Goes when
        // basic_parser::parse_chunk_header no longer has `BOOST_ASSERT(n >= 5)`.
        if (machine_->parser->is_header_done() && pending_.size() < 5) return;
        bytes = pending_;
        parse(bytes, ec);
        pending_.erase(0, pending_.size() - bytes.size());
    }
    if (complete_ && !bytes.empty()) surplus_ = true;
}

OCRPIPE_DECL void answer_reader::parse(std::string_view& bytes, error_code& ec)
{
    while (!bytes.empty() && !complete_) {
        answer_parser& parser = *machine_->parser;
        bool const in_header = !parser.is_header_done();
        std::size_t const used = parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
        bytes.remove_prefix(used);
        if (in_header) header_bytes_ += used;
        bool const wants_more = ec == beast::http::error::need_more;
        // Beast 1.81 does not bound trailers and chunk extensions; what it wants to see again is bounded
        // here.
        if ((in_header ? header_bytes_ : 0) + (wants_more ? bytes.size() : 0) > limits_.max_header)
            ec = beast::http::error::header_limit;
        else if (wants_more)
            ec = {};
        if (!ec) note_progress(ec);
        if (ec) return translate(ec);
        if (wants_more) return;
    }
}

OCRPIPE_DECL void answer_reader::note_progress(error_code& ec)
{
    answer_parser& parser = *machine_->parser;
    if (!parser.is_header_done()) return;
    if (response_.status / 100 == 1) {
        if (response_.status == 101 || ++interim_ > max_interim_answers) {
            detail_ =
                response_.status == 101 ? "101 though no upgrade was asked for" : "too many interim answers";
            ec = make_error_code(errc::malformed_answer);
            return;
        }
        response_ = http_response();
        machine_->parser.emplace(response_, limits_);
        header_bytes_ = 0;
        return;
    }
    has_header_ = true;
    if (!parser.is_done()) return;
    if (!parser.encoding_finished()) {
        detail_ = "the compressed body ends early";
        ec = make_error_code(errc::truncated_answer);
        return;
    }
    complete_ = true;
    keep_alive_ = parser.keep_alive();
}

OCRPIPE_DECL void answer_reader::put_eof(error_code& ec)
{
    ec = {};
    if (complete_) return;
    answer_parser& parser = *machine_->parser;
    if (!reading()) {
        ec = make_error_code(errc::connection_closed);
        return;
    }
    parser.put_eof(ec);
    if (!ec) note_progress(ec);
    if (ec) translate(ec);
}

OCRPIPE_DECL void answer_reader::translate(error_code& ec)
{
    if (ec.category() == category()) return;
    errc code = errc::malformed_answer;
    if (ec == beast::http::error::header_limit)
        code = errc::header_too_large;
    else if (ec == beast::http::error::body_limit || ec == beast::http::error::buffer_overflow)
        code = errc::body_too_large;
    else if (ec == beast::http::error::partial_message || ec == beast::http::error::end_of_stream)
        code = errc::truncated_answer;
    else
        detail_ = ec.message();
    ec = make_error_code(code);
}

} // namespace detail
} // namespace ocrpipe

#endif

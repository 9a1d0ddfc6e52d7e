// The input is a seed on the first line, then a text. Our parser and Boost.JSON's must agree on whether the
// text is strict JSON and, if so, on every event. If only ours accepts it, its strict form must give the same
// events. A container that a handler skips must still be validated, and must not change the other events.

#include <ocrpipe/api/json_events.hpp>
#include <ocrpipe/api/strict_json.hpp>

#include "fuzz_input.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <optional>
#include <vector>

namespace
{

using namespace ocrpipe;

/// One event per line, except that texts may contain line breaks, which are the same on both sides.
struct our_events {
    void key(detail::json_string const& s) { add("key ", text(s)); }
    void string(detail::json_string const& s) { add("string ", text(s)); }
    void number(std::string_view s)
    {
        bool const finite = s.back() >= '0' && s.back() <= '9';
        if (finite)
            add("number ", s);
        else
            null();
    }
    void truth(bool b) { add(b ? "true" : "false"); }
    void null() { add("null"); }
    bool open(bool is_object)
    {
        add(is_object ? "{" : "[");
        return true;
    }
    void close(bool) { add("end"); }

    static std::string text(detail::json_string const& s)
    {
        std::string const plain = detail::unescaped(s);
        require(s.escaped || plain == s.raw, "a text without escapes is the text");
        return plain;
    }
    void add(std::string_view what, std::string_view text = {}) { ((log += what) += text) += '\n'; }

    std::string log;
};

/// Skips containers by a seed; their content must cause no event.
struct fickle_handler : our_events {
    explicit fickle_handler(std::uint64_t seed) : draw(seed) {}
    bool open(bool is_object)
    {
        bool const wanted = draw.next(4) != 1;
        if (!wanted) return false;
        depth += 1;
        return our_events::open(is_object);
    }
    void close(bool empty)
    {
        require(depth != 0, "only what was opened is closed");
        depth -= 1;
        our_events::close(empty);
    }

    cutter draw;
    std::size_t depth = 0;
};

struct their_events {
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
    using view = boost::json::string_view;
    using code = boost::json::error_code;

    bool on_document_begin(code&) { return true; }
    bool on_document_end(code&) { return true; }
    bool on_object_begin(code&) { return add("{"); }
    bool on_array_begin(code&) { return add("["); }
    bool on_object_end(std::size_t, code&) { return add("end"); }
    bool on_array_end(std::size_t, code&) { return add("end"); }
    bool on_key_part(view s, std::size_t, code&) { return part(s); }
    bool on_key(view s, std::size_t, code&) { return whole("key ", s); }
    bool on_string_part(view s, std::size_t, code&) { return part(s); }
    bool on_string(view s, std::size_t, code&) { return whole("string ", s); }
    bool on_number_part(view s, code&) { return part(s); }
    bool on_int64(std::int64_t, view s, code&) { return whole("number ", s); }
    bool on_uint64(std::uint64_t, view s, code&) { return whole("number ", s); }
    bool on_double(double, view s, code&) { return whole("number ", s); }
    bool on_bool(bool b, code&) { return add(b ? "true" : "false"); }
    bool on_null(code&) { return add("null"); }
    bool on_comment_part(view, code&) { return true; }
    bool on_comment(view, code&) { return true; }

    bool part(view s)
    {
        text.append(s.data(), s.size());
        return true;
    }
    bool whole(std::string_view what, view s)
    {
        part(s);
        log += what;
        add(text);
        text.clear();
        return true;
    }
    bool add(std::string_view what)
    {
        (log += what) += '\n';
        return true;
    }

    std::string log;
    std::string text;
};

/// Nullopt if Boost.JSON rejects a number that the grammar allows.
std::optional<std::string> read_elsewhere(std::string_view text, bool& is_json)
{
    boost::json::parse_options options;
    options.max_depth = detail::max_json_depth;
    boost::json::basic_parser<their_events> parser(options);
    boost::json::error_code ec;
    std::size_t const used = parser.write_some(false, text.data(), text.size(), ec);
    if (ec == boost::json::error::exponent_overflow) return std::nullopt;
    is_json = !ec && used == text.size() && parser.done();
    return std::move(parser.handler().log);
}

void check_forms(std::string_view text, bool is_json, bool is_strict, std::string const& events)
{
    auto const converted = json_in_utf8(text);
    require(!converted || !is_json, "UTF-16 and UTF-32 are no JSON in UTF-8");
    auto const error = find_json_error(text);
    auto const strict = strict_json(text);
    if (error) {
        require(!is_json && !strict, "an error is told of what is no JSON");
        require(error->offset <= text.size() && error->line != 0 && error->column != 0 &&
                    !error->what.empty(),
                "an error is within the text");
        return;
    }
    require(strict.has_value() == !is_strict, "what is not strict is made strict");
    if (!strict) return;
    our_events again;
    detail::json_notes notes;
    require(detail::read_json(*strict, again, notes) && !notes.lenient, "what was made strict is strict");
    require(converted || again.log == events, "what was made strict says the same");
    require(!strict_json(*strict), "what was made strict needs nothing more");
    bool is_json_elsewhere = false;
    if (auto const theirs = read_elsewhere(*strict, is_json_elsewhere))
        require(is_json_elsewhere && again.log == *theirs, "what was made strict is read elsewhere");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    fuzz_input input(data, size);
    std::uint64_t const seed = fuzz_input(input.line()).number();
    // On the heap, so that a sanitizer sees a read beyond it.
    std::vector<char> const bytes(input.rest().begin(), input.rest().end());
    std::string_view const text(bytes.data(), bytes.size());

    our_events ours;
    detail::json_notes notes;
    bool const is_json = detail::read_json(text, ours, notes);
    bool const is_strict = is_json && !notes.lenient;
    bool is_json_elsewhere = false;
    if (auto const theirs = read_elsewhere(text, is_json_elsewhere)) {
        require(is_strict == is_json_elsewhere, "two parsers agree on what is strict JSON");
        require(!is_strict || ours.log == *theirs, "two parsers agree on every event");
    }
    fickle_handler fickle(seed);
    require(detail::read_json(text, fickle) == is_json, "what is not wanted is checked all the same");
    require(!is_json || fickle.depth == 0, "what was opened is closed");
    check_forms(text, is_json, is_strict, ours.log);
    return 0;
}

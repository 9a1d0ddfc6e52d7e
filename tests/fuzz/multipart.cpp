// The input is the fields of a submit, one per line (flow, doc_type, file_type as a digit, the boundary's
// seed, the file name), extra fields as "name=value" up to an empty line, and the document. %0A and the like
// stand for bytes. A strict reader reads the form that is sent; it must contain the fields of the input and
// no others.

#include <ocrpipe/api/multipart.hpp>
#include <ocrpipe/core/utf8.hpp>

#include "fuzz_input.hpp"

namespace
{

using namespace ocrpipe;

std::string read_all(multipart_body& body, cutter cut)
{
    std::string out;
    for (;;) {
        char room[512];
        std::size_t const n = cut.next(sizeof room);
        error_code ec;
        std::size_t const got = body.read(std::span<char>(room, n), ec);
        require(!ec, "bytes in memory can be read");
        require(got <= n, "no more is read than there is room for");
        out.append(room, got);
        if (got == 0) return out;
        require(out.size() <= body.size(), "no more is read than Content-Length says");
    }
}

/// A quoted string of a header, as a server reads it.
void check_name(std::string_view shown, std::string_view given)
{
    require(!has_control(shown), "a name holds no control character");
    require(shown.find_first_of("\"\\") == std::string_view::npos, "a name does not leave its quotes");
    for (std::string_view rest = shown; !rest.empty();) {
        std::size_t const n = detail::utf8_sequence_length(rest);
        require(n != 0, "a name is UTF-8");
        rest.remove_prefix(n);
    }
    require(shown == escape_form_name(given), "a name is the one that was given, escaped");
}

/// Removes the first part from `form`; its header must have exactly `lines` lines.
std::string_view take_header(std::string_view& form, std::string const& delimiter, std::size_t lines)
{
    require(form.starts_with(delimiter + "\r\n"), "a part begins with the delimiter");
    form.remove_prefix(delimiter.size() + 2);
    std::size_t const end = form.find("\r\n\r\n");
    require(end != std::string_view::npos, "a part's header ends");
    std::string_view const header = form.substr(0, end);
    form.remove_prefix(end + 4);
    std::size_t breaks = 0;
    for (char const c : header)
        breaks += c == '\n' || c == '\r';
    require(breaks == 2 * (lines - 1), "a part's header has the lines that we wrote");
    return header;
}

void check_field(std::string_view& form, std::string const& delimiter, std::string_view name,
                 std::string_view value)
{
    std::string_view header = take_header(form, delimiter, 1);
    constexpr std::string_view begin = "Content-Disposition: form-data; name=\"";
    require(header.starts_with(begin) && header.ends_with('"'), "a field is form-data with a name");
    header.remove_prefix(begin.size());
    header.remove_suffix(1);
    check_name(header, name);
    std::size_t const end = form.find("\r\n" + delimiter);
    require(end != std::string_view::npos, "a field ends at a delimiter");
    require(form.substr(0, end) == value, "a field holds its value, byte for byte");
    form.remove_prefix(end + 2);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    fuzz_input input(data, size);
    submit_request request;
    request.flow = unescaped(input.line());
    request.doc_type = unescaped(input.line());
    request.type = static_cast<enum file_type>(fuzz_input(input.line()).number() % 3);
    std::uint64_t const seed = fuzz_input(input.line()).number();
    std::string const name = unescaped(input.line());
    std::vector<std::pair<std::string, std::string>> fields;
    for (std::string_view line = input.line(); !line.empty() && fields.size() != 16; line = input.line()) {
        std::size_t const sign = line.find('=');
        fields.emplace_back(unescaped(line.substr(0, sign)),
                            sign == line.npos ? std::string() : unescaped(line.substr(sign + 1)));
    }
    std::string const bytes(input.rest());
    request.doc = document::from_bytes(bytes, name);

    auto made = multipart_body::make(request, fields, seed);
    if (!made) {
        failure const& f = made.error();
        bool const known = f.code == errc::invalid_argument || f.code == errc::unsupported_file_type ||
                           f.code == errc::empty_document;
        require(known, "a refusal is one of three");
        require(f.code != errc::empty_document || bytes.empty(), "only a document without bytes is empty");
        require(f.code != errc::unsupported_file_type || request.type == file_type::detect,
                "a type that was given is believed");
        require(!has_control(f.reason), "a refusal can be printed");
        return 0;
    }
    multipart_body& body = *made;
    std::string const type = body.content_type();
    require(!has_control(type), "the content type holds no control character");
    std::string const form_text = read_all(body, cutter(seed));
    require(form_text.size() == body.size(), "as many bytes are read as Content-Length says");
    body.rewind();
    require(read_all(body, cutter(seed + 1)) == form_text, "after rewind the same bytes come again");

    std::string const delimiter = "--" + type.substr(type.find("boundary=") + 9);
    std::string_view form = form_text;
    check_field(form, delimiter, "flow", request.flow);
    if (!request.doc_type.empty()) check_field(form, delimiter, "doc_type", request.doc_type);
    file_format const format = detect_format(std::string_view(bytes).substr(0, format_probe_size));
    enum file_type const sent = request.type != file_type::detect ? request.type : service_type(format);
    check_field(form, delimiter, "file_type", wire_word(sent));
    for (auto const& [field, value] : fields)
        check_field(form, delimiter, field, value);

    std::string_view header = take_header(form, delimiter, 2);
    constexpr std::string_view begin = "Content-Disposition: form-data; name=\"file\"; filename=\"";
    require(header.starts_with(begin), "the document is a file with a name");
    header.remove_prefix(begin.size());
    std::size_t const quote = header.find('"');
    require(header.substr(quote) == "\"\r\nContent-Type: " + std::string(mime(format)),
            "the document has one type");
    if (name.empty())
        require(quote != 0, "a document without a name gets one");
    else
        check_name(header.substr(0, quote), name);
    std::string const end = "\r\n" + delimiter + "--\r\n";
    require(form.ends_with(end), "the form is closed");
    form.remove_suffix(end.size());
    require(form == bytes, "the document is sent byte for byte");
    return 0;
}

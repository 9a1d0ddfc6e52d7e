#include "emulator/synthetic.hpp"

#include "emulator/mix.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <array>
#include <stdexcept>

namespace ocrpipe::emulator
{
namespace
{

constexpr std::array<std::string_view, 24> vocabulary{
    "invoice", "total", "amount", "quantity", "price", "customer", "address", "signed",
    "hóa",     "đơn",   "tổng",   "cộng",     "số",    "lượng",    "khách",   "hàng",
    "địa",     "chỉ",   "ngày",   "thuế",     "giá",   "tiền",     "ký",      "tên"};

void append_big_endian(std::string& out, std::uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        out += static_cast<char>(value >> shift & 0xFF);
}

void append_chunk(std::string& png, std::string_view type, std::string_view data)
{
    append_big_endian(png, static_cast<std::uint32_t>(data.size()));
    std::string body(type);
    body += data;
    auto const* bytes = reinterpret_cast<unsigned char const*>(body.data());
    png += body;
    append_big_endian(png, static_cast<std::uint32_t>(::crc32(0, bytes, static_cast<unsigned>(body.size()))));
}

} // namespace

recognized_page synthetic_page(std::uint64_t key)
{
    recognized_page page;
    page.lines.reserve(12);
    page.lines.push_back({fmt::format("document {:016x}", key), 0.99, 40, 40, 400, 60});
    for (int i = 1; i != 12; ++i) {
        std::uint64_t h = mix(key, static_cast<std::uint64_t>(i));
        double const confidence = 0.6 + 0.4 * unit_interval(h);
        std::string line;
        for (int word = 0; word != 5; ++word, h /= vocabulary.size()) {
            if (word != 0) line += ' ';
            line += vocabulary[h % vocabulary.size()];
        }
        line += fmt::format(" {}.{:02}", h % 1000, h % 100);
        page.lines.push_back({std::move(line), confidence, 40, 40 + 30 * i, 500, 60 + 30 * i});
    }
    return page;
}

std::string synthetic_png(std::uint64_t key)
{
    std::string rows;
    for (std::uint64_t y = 0; y != 8; ++y) {
        rows += '\0';
        for (std::uint64_t x = 0; x != 8; ++x)
            rows += static_cast<char>(mix(key, y * 8 + x) & 0xFF);
    }
    std::array<unsigned char, 256> packed{};
    ::uLongf size = packed.size();
    if (::compress(packed.data(), &size, reinterpret_cast<unsigned char const*>(rows.data()), rows.size()) !=
        Z_OK)
        throw std::logic_error("72 bytes do not fit into 256 when compressed");
    std::string png = "\x89PNG\r\n\x1a\n";
    append_chunk(png, "IHDR", std::string_view("\0\0\0\x08\0\0\0\x08\x08\0\0\0\0", 13));
    append_chunk(png, "IDAT", std::string_view(reinterpret_cast<char const*>(packed.data()), size));
    append_chunk(png, "IEND", {});
    return png;
}

} // namespace ocrpipe::emulator

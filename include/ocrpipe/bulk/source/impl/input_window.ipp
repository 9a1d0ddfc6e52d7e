#ifndef OCRPIPE_BULK_SOURCE_IMPL_INPUT_WINDOW_IPP
#define OCRPIPE_BULK_SOURCE_IMPL_INPUT_WINDOW_IPP

#include <ocrpipe/bulk/source/input_window.hpp>

#include <algorithm>
#include <array>
#include <poll.h>

namespace ocrpipe
{
namespace detail
{

OCRPIPE_DECL bool input_window::grow()
{
    constexpr std::size_t block = 64 * 1024;
    if (at_end_) return false;
    buffer_.erase(0, begin_);
    begin_ = 0;
    std::size_t const held = buffer_.size();
    buffer_.resize(held + block);
    ::ssize_t n = -1;
    while ((n = ::read(fd_.get(), buffer_.data() + held, block)) < 0) {
        if (errno == EINTR) continue;
        if (errno != EAGAIN) break;
        // Standard input may have been made non-blocking by another process that shares it.
        ::pollfd readable{fd_.get(), POLLIN, 0};
        ::poll(&readable, 1, -1);
    }
    if (n < 0) error_ = errno_code();
    buffer_.resize(held + static_cast<std::size_t>(std::max<::ssize_t>(n, 0)));
    at_end_ = n <= 0;
    if (form_ != form::bytes || !undecoded_.empty()) decode(held);
    return !at_end_ || buffer_.size() > held;
}

/// Decodes in place everything after the first `held` bytes.
OCRPIPE_DECL void input_window::decode(std::size_t held)
{
    std::string raw = std::move(undecoded_) + buffer_.substr(held);
    undecoded_.clear();
    buffer_.resize(held);
    if (form_ == form::unknown) {
        using namespace std::string_view_literals;
        static constexpr std::array marks{"\xEF\xBB\xBF"sv, "\xFF\xFE"sv, "\xFE\xFF"sv};
        bool const may_be_a_mark = std::any_of(marks.begin(), marks.end(), [&raw](std::string_view mark) {
            return raw.size() < mark.size() && mark.starts_with(raw);
        });
        if (may_be_a_mark && !at_end_) {
            undecoded_ = std::move(raw);
            return;
        }
        form_ = raw.starts_with(marks[1])   ? form::utf16le
                : raw.starts_with(marks[2]) ? form::utf16be
                                            : form::bytes;
        raw.erase(0, form_ != form::bytes ? 2 : raw.starts_with(marks[0]) ? 3 : 0);
    }
    if (form_ == form::bytes)
        buffer_ += raw;
    else
        append_utf16(raw);
}

/// Unpaired surrogates and an incomplete code unit at the end become U+FFFD.
OCRPIPE_DECL void input_window::append_utf16(std::string_view raw)
{
    auto const unit = [&](std::size_t i) {
        auto const byte = [&](std::size_t k) -> unsigned { return static_cast<unsigned char>(raw[k]); };
        return form_ == form::utf16le ? byte(i) | byte(i + 1) << 8 : byte(i) << 8 | byte(i + 1);
    };
    auto const put = [this](unsigned c) {
        auto const tail = [this, c](unsigned shift) {
            buffer_ += static_cast<char>(0x80 | (c >> shift & 0x3F));
        };
        if (c < 0x80) {
            buffer_ += static_cast<char>(c);
            return;
        }
        buffer_ += static_cast<char>(c < 0x800 ? 0xC0 | c >> 6 : c < 0x10000 ? 0xE0 | c >> 12 : 0xF0 | c >> 18);
        if (c >= 0x10000) tail(12);
        if (c >= 0x800) tail(6);
        tail(0);
    };
    constexpr unsigned replacement = 0xFFFD;
    std::size_t i = 0;
    for (; i + 2 <= raw.size(); i += 2) {
        unsigned const c = unit(i);
        bool const high = c >= 0xD800 && c < 0xDC00;
        if (high && i + 4 > raw.size() && !at_end_) break;
        unsigned const next = high && i + 4 <= raw.size() ? unit(i + 2) : 0;
        if (next >= 0xDC00 && next < 0xE000) {
            put(0x10000 + ((c - 0xD800) << 10) + (next - 0xDC00));
            i += 2;
        } else {
            put(c >= 0xD800 && c < 0xE000 ? replacement : c);
        }
    }
    if (at_end_ && i != raw.size())
        put(replacement);
    else
        undecoded_ = raw.substr(i);
}

OCRPIPE_DECL std::string_view record_reader::peek()
{
    if (window_.text().empty()) window_.grow();
    return window_.text();
}

OCRPIPE_DECL record_reader::outcome record_reader::next(std::string_view& record)
{
    if (ended_) return outcome::end;
    ++number_;
    bool too_long = false;
    std::size_t scanned = 0;
    for (;;) {
        if (after_cr_ && !window_.text().empty()) {
            if (window_.text().front() == '\n') window_.consume(1);
            after_cr_ = false;
        }
        std::string_view const text = window_.text();
        std::size_t const found =
            any_line_end_ ? text.find_first_of("\r\n", scanned) : text.find(delimiter_, scanned);
        if (found != std::string_view::npos) {
            record = text.substr(0, found);
            after_cr_ = text[found] == '\r' && any_line_end_;
            window_.consume(found + 1);
            return too_long || found > max_record ? outcome::too_long : outcome::record;
        }
        scanned = text.size();
        if (scanned > max_record) {
            too_long = true;
            window_.consume(scanned);
            scanned = 0;
        }
        if (window_.grow()) continue;
        ended_ = true;
        if (window_.error()) return outcome::failed;
        record = window_.text();
        if (too_long) return outcome::too_long;
        return record.empty() ? outcome::end : outcome::record;
    }
}

} // namespace detail
} // namespace ocrpipe

#endif

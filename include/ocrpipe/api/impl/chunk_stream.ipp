#ifndef OCRPIPE_API_IMPL_CHUNK_STREAM_IPP
#define OCRPIPE_API_IMPL_CHUNK_STREAM_IPP

#include <ocrpipe/api/detail/chunk_stream.hpp>
#include <ocrpipe/core/result.hpp>

#include <boost/system/system_error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <exception>

namespace ocrpipe::detail
{

OCRPIPE_DECL task<void> chunk_stream::begin(std::shared_ptr<chunk_stream> self, std::size_t count,
                                            error_code& ec)
{
    std::string first(static_cast<std::size_t>(std::min<std::uint64_t>(count, self->size_)), '\0');
    std::size_t got = 0;
    while (got != first.size() && !ec) {
        std::size_t const n = co_await read(self, std::span<char>(first).subspan(got), ec);
        got += n;
    }
    if (!ec) self->first_ = std::move(first);
}

OCRPIPE_DECL task<std::size_t> chunk_stream::read(std::shared_ptr<chunk_stream> self, std::span<char> out,
                                                  error_code& ec)
{
    std::uint64_t const left = self->size_ - self->taken_;
    std::size_t const want = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left));
    std::size_t const got = co_await self->next(out.first(want), ec);
    if (ec) co_return 0;
    self->taken_ += got;
    if (got == 0)
        self->why_ =
            fmt::format("{} bytes were promised, and the source ended after {}", self->size_, self->taken_);
    if (self->taken_ == self->size_) {
        char beyond = 0;
        std::size_t const more = co_await self->next(std::span<char>(&beyond, 1), ec);
        if (ec) co_return 0;
        if (more != 0)
            self->why_ = fmt::format("{} bytes were promised, and the source has at least {}", self->size_,
                                     self->size_ + 1);
    }
    if (self->why_.empty()) co_return got;
    ec = make_error_code(errc::invalid_argument);
    co_return 0;
}

/// Reads once from the source. What it throws becomes an error, too.
OCRPIPE_DECL task<std::size_t> chunk_stream::next(std::span<char> out, error_code& ec)
{
    ec = {};
    why_.clear();
    std::size_t got = 0;
    try {
        got = co_await source_->read(out, ec);
    } catch (boost::system::system_error const& e) {
        ec = e.code();
    } catch (std::exception const& e) {
        ec = make_error_code(errc::unreadable_file);
        why_ = fmt::format("its source failed: {}", printable_excerpt(e.what()));
    }
    if (!ec && got <= out.size()) co_return got;
    if (why_.empty())
        why_ = ec ? fmt::format("its source failed: {}", ec.message())
                  : fmt::format("its source was asked for {} bytes and returned {}", out.size(), got);
    // An error of the library's own, such as that of another client, says nothing about this submit.
    if (!ec || ec.category() == category()) ec = make_error_code(errc::unreadable_file);
    co_return 0;
}

OCRPIPE_DECL void chunk_stream::rewind()
{
    why_.clear();
    if (taken_ == first_.size()) return;
    source_->rewind();
    first_.clear();
    taken_ = 0;
}

} // namespace ocrpipe::detail

#endif

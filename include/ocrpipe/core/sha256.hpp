#ifndef OCRPIPE_CORE_SHA256_HPP
#define OCRPIPE_CORE_SHA256_HPP

#include <ocrpipe/core/config.hpp>

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st; // OpenSSL's EVP_MD_CTX, declared here to avoid including its headers

namespace ocrpipe
{

using sha256_digest = std::array<unsigned char, 32>;

/// 64 lower-case hexadecimal digits, as sha256sum prints them.
OCRPIPE_DECL std::string to_hex(sha256_digest const& digest);

/// Incremental SHA-256.
///
/// Errors: std::bad_alloc when OpenSSL has no memory.
/// Thread safety: distinct objects may be used from distinct threads.
/// Source: FIPS 180-4.
class sha256_stream
{
public:
    sha256_stream();

    /// Starts a new digest and discards the current one. Reusing an object is cheaper than creating one, for
    /// which OpenSSL has to look up the implementation.
    void begin();

    void update(std::span<char const> bytes);

    /// The digest of all bytes since the beginning or the last finish(); the next update() starts a new one.
    sha256_digest finish();

    /// finish() in hexadecimal.
    std::string hex() { return to_hex(finish()); }

private:
    struct closer {
        OCRPIPE_DECL void operator()(evp_md_ctx_st* c) const noexcept;
    };
    std::unique_ptr<evp_md_ctx_st, closer> context_;
};

/// The digest of `bytes`.
inline sha256_digest sha256(std::string_view bytes)
{
    sha256_stream s;
    s.update(bytes);
    return s.finish();
}

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/core/impl/sha256.ipp>
#endif

#endif

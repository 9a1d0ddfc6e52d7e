#ifndef OCRPIPE_CORE_IMPL_SHA256_IPP
#define OCRPIPE_CORE_IMPL_SHA256_IPP

#include <ocrpipe/core/sha256.hpp>

#include <openssl/evp.h>

#include <new>

namespace ocrpipe
{

OCRPIPE_DECL void sha256_stream::closer::operator()(evp_md_ctx_st* c) const noexcept { ::EVP_MD_CTX_free(c); }

OCRPIPE_DECL sha256_stream::sha256_stream() : context_(::EVP_MD_CTX_new())
{
    if (!context_ || ::EVP_DigestInit_ex(context_.get(), ::EVP_sha256(), nullptr) != 1)
        throw std::bad_alloc();
}

OCRPIPE_DECL void sha256_stream::begin()
{
    if (::EVP_DigestInit_ex(context_.get(), nullptr, nullptr) != 1) throw std::bad_alloc();
}

OCRPIPE_DECL void sha256_stream::update(std::span<char const> bytes)
{
    if (::EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) != 1) throw std::bad_alloc();
}

OCRPIPE_DECL sha256_digest sha256_stream::finish()
{
    sha256_digest digest;
    if (::EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) != 1) throw std::bad_alloc();
    begin();
    return digest;
}

OCRPIPE_DECL std::string to_hex(sha256_digest const& digest)
{
    constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (unsigned const byte : digest)
        (out += digits[byte >> 4]) += digits[byte & 15];
    return out;
}

} // namespace ocrpipe

#endif

#include "emulator/digest.hpp"

#include <openssl/evp.h>

#include <new>

namespace ocrpipe::emulator
{

sha256_digest sha256(std::string_view bytes)
{
    sha256_digest digest{};
    unsigned int length = 0;
    // Fails only when OpenSSL cannot allocate its context.
    if (::EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, ::EVP_sha256(), nullptr) != 1)
        throw std::bad_alloc();
    return digest;
}

std::string to_hex(sha256_digest const& digest)
{
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    out.reserve(digest.size() * 2);
    for (unsigned char const byte : digest) {
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
    return out;
}

} // namespace ocrpipe::emulator

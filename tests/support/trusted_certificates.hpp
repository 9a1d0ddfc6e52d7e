#ifndef OCRPIPE_TESTS_SUPPORT_TRUSTED_CERTIFICATES_HPP
#define OCRPIPE_TESTS_SUPPORT_TRUSTED_CERTIFICATES_HPP

#include "support/temp_directory.hpp"
#include "support/test_certificates.hpp"

#include <string>

/// An authority that the client trusts, and a server certificate that it issued.
struct trusted_certificates {
    temp_directory directory;
    test_identity authority = make_test_identity("test authority");
    test_identity server = make_test_identity("server", "IP:127.0.0.1,DNS:localhost", &authority);
    std::string ca_file = directory.write("ca.pem", authority.certificate_pem()).string();
};

#endif

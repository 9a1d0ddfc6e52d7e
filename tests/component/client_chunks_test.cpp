// Documents from chunks against the emulator: they stream through, and are not held.
#include <ocrpipe/client.hpp>
#include <ocrpipe/core/sha256.hpp>

#include "emulator/emulator.hpp"
#include "support/chunks.hpp"
#include "support/handed_bytes.hpp"
#include "support/trusted_certificates.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

using namespace ocrpipe;

TEST_CASE("client: 20 MB from chunks -> less than 1 MB is between the source and the socket at any time")
{
    for (bool const tls : {false, true}) {
        CAPTURE(tls);
        trusted_certificates const certificates;
        emulator::emulator_options how;
        if (tls) {
            temp_directory const& folder = certificates.directory;
            how.tls.cert = folder.write("cert.pem", certificates.server.certificate_pem()).string();
            how.tls.key = folder.write("key.pem", certificates.server.key_pem()).string();
        }
        emulator::emulator service(how);
        std::string const url = service.base_url();
        auto const port = static_cast<unsigned short>(std::atoi(url.c_str() + url.rfind(':') + 1));
        client_options o;
        o.endpoint.base_url = url;
        o.endpoint.portal_user_id = "1";
        o.endpoint.api_key = secret("test-key");
        o.tls.ca_file = certificates.ca_file;

        std::string bytes = "%PDF-1.7\n";
        while (bytes.size() < 20'000'000)
            bytes += std::to_string(bytes.size());
        std::size_t const size = bytes.size();
        std::string const hash = to_hex(sha256(bytes));
        auto const source = std::make_shared<chunks>(std::move(bytes), 300'000);
        std::uint64_t most_held = 0;
        std::uint64_t reads = 0;
        source->on_read = [&](std::span<char> out) {
            std::uint64_t const handed = bytes_handed_to(port);
            // What is asked for now has its place already.
            std::uint64_t const held = source->taken - std::min<std::uint64_t>(source->taken, handed);
            most_held = std::max(most_held, held + out.size());
            ++reads;
        };

        asio::io_context ioc(1);
        client c(ioc, o);
        std::optional<result<submitted_job>> job;
        c.async_submit(submit_request(document::from_chunks(source, size, "a.pdf"), "INVOICE"),
                       [&](result<submitted_job> r) { job = std::move(r); });
        while (!job && ioc.run_one() != 0) {
        }
        REQUIRE(job.has_value());
        REQUIRE_MESSAGE(job->has_value(), (job->has_error() ? to_string(job->error()) : std::string()));
        CHECK(c.statistics().held_bytes == 0);
        auto const truth = service.truth();
        REQUIRE(truth.documents.size() == 1);
        CHECK(truth.documents[0].sha256 == hash);
        CHECK(truth.documents[0].size == size);
        CHECK(bytes_handed_to(port) >= size); // the count is right
        CHECK(reads > 300);
        CHECK(most_held < 1'000'000);
        CHECK(source->taken == size);
    }
}

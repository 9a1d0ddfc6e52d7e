#ifndef OCRPIPE_HTTP_HOST_RESOLVER_HPP
#define OCRPIPE_HTTP_HOST_RESOLVER_HPP

#include <ocrpipe/http/http_options.hpp>
#include <ocrpipe/http/tcp_types.hpp>

#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ocrpipe
{
namespace detail
{

using endpoints = std::vector<tcp::endpoint>;

/// The order in which addresses are tried: families alternate, the resolver's preference first (RFC 8305,
/// section 4).
OCRPIPE_DECL endpoints interleave_families(std::span<tcp::endpoint const> in);

/// Resolves host names to addresses. Concurrent lookups of the same name are shared, and the answer is cached
/// for a while.
///
/// A lookup runs in a thread of the execution context and cannot be cancelled. Callers give up at their
/// deadline, but its run() returns only after the lookup.
///
/// Thread safety: none.
class host_resolver
{
public:
    static constexpr std::chrono::seconds keep{30};

    using function = decltype(http_options::resolver);

    /// `find`: replaces the system's resolver; may be empty.
    host_resolver(executor const& ex, function find)
        : executor_(ex), find_(std::make_shared<function const>(std::move(find)))
    {
    }

    /// Addresses of `host`, in the order in which to try them; never empty without an error.
    ///
    /// Errors: errc::resolve_failed (with `cause`), asio::error::timed_out at `deadline`, operation_aborted.
    task<endpoints> async_resolve(std::string const& host, std::string const& port,
                                  clock::time_point deadline, error_code& cause, error_code& ec);

private:
    struct lookup;

    void start(std::string const& host, std::string const& port, std::shared_ptr<lookup> const& to);

    executor executor_;
    std::shared_ptr<function const> find_;
    /// By host:port; a transport knows two at most.
    std::unordered_map<std::string, std::shared_ptr<lookup>> lookups_;
};

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/http/impl/host_resolver.ipp>
#endif

#endif

#ifndef OCRPIPE_CLIENT_IMPL_CLIENT_OPTIONS_IPP
#define OCRPIPE_CLIENT_IMPL_CLIENT_OPTIONS_IPP

#include <ocrpipe/client/client_options.hpp>
#include <ocrpipe/core/option_problems.hpp>

#include <utility>

namespace ocrpipe
{

OCRPIPE_DECL std::vector<std::string> client_options::validate() const
{
    detail::option_problems own;
    own.positive(job_deadline, "job_deadline");
    for (std::string& p : ocrpipe::problems(profile))
        own.add("profile." + std::move(p));

    std::vector<std::string> problems = http_options::validate();
    for (auto& others : {pace_options::validate(), own.take()})
        problems.insert(problems.end(), others.begin(), others.end());
    return problems;
}

} // namespace ocrpipe

#endif

#include "load_documents.hpp"

#include <ocrpipe/bulk/source/open_input.hpp>

#include "progress.hpp"
#include "remedy.hpp"

#include <fmt/format.h>

#include <memory>
#include <utility>
#include <variant>
#include <vector>

namespace ocrpipe::cli
{
namespace
{

struct chosen_file {
    std::string path;
    std::string flow;
    std::string doc_type;
    enum file_type type = file_type::detect;
    std::uint64_t size = 0;
};

std::vector<chosen_file> find_files(load_plan const& p, std::uint64_t& unreadable, logger& log)
{
    std::vector<chosen_file> out;
    input_options how;
    how.skip_directory = p.directory;
    how.notes = std::make_shared<source_notes>();
    for (std::string const& i : p.inputs) {
        auto const inputs = open_input(i, how);
        while (auto next = inputs->next()) {
            if (auto const* wrong = std::get_if<input_problem>(&*next)) {
                log.write(describe(*wrong));
                ++unreadable;
                continue;
            }
            auto& item = std::get<input_item>(*next);
            out.push_back({std::move(item.path), item.flow.empty() ? p.flow : item.flow,
                           item.doc_type.empty() ? p.doc_type : item.doc_type,
                           item.type == file_type::detect ? p.type : item.type, item.size});
        }
    }
    unreadable += how.notes->empty_inputs;
    for (source_notes::note& n : how.notes->take())
        log.write(message(level::warn, n.event, std::move(n.text)));
    for (message const& m : skipped_messages(*how.notes, {}))
        log.write(m);
    return out;
}

} // namespace

load_documents open_documents(load_plan const& p, logger& log)
{
    load_documents out;
    if (!p.inputs.empty()) {
        auto const files =
            std::make_shared<std::vector<chosen_file>>(find_files(p, out.unreadable_inputs, log));
        if (files->empty()) return out;
        out.make = [files](std::uint64_t number) {
            chosen_file const& f = (*files)[number % files->size()];
            load_document d;
            d.request = submit_request(document::from_file(f.path), f.doc_type, f.flow);
            d.request.type = f.type;
            d.bytes = f.size;
            return d;
        };
        return out;
    }
    document_generator const generator(p.sizes, p.seed);
    out.make = [generator, doc_type = p.doc_type, flow = p.flow](std::uint64_t number) {
        load_document d;
        std::string bytes = generator.make(number);
        d.bytes = bytes.size();
        d.request = submit_request(document::from_bytes(std::move(bytes), fmt::format("load-{}.pdf", number)),
                                   doc_type, flow);
        d.request.type = file_type::pdf;
        return d;
    };
    return out;
}

} // namespace ocrpipe::cli

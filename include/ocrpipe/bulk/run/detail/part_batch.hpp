#ifndef OCRPIPE_BULK_RUN_DETAIL_PART_BATCH_HPP
#define OCRPIPE_BULK_RUN_DETAIL_PART_BATCH_HPP

#include <ocrpipe/bulk/ledger/ledger.hpp>
#include <ocrpipe/bulk/output/result_line.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ocrpipe::detail
{

class event;

/// Parts of one document that are fetched together, and what became of each.
struct part_batch {
    /// The document and the request_id of its result must outlive the batch.
    part_batch(ledger_document const& d, std::string const& request, std::vector<missing_part> parts)
        : document(d), request_id(request), wanted(std::move(parts)), open(wanted.size())
    {
        entries.reserve(wanted.size());
        for (missing_part const& p : wanted)
            entries.push_back(
                {p.kind, p.sub_id, {}, std::string(p.failure == errc::ok ? not_fetched : name(p.failure))});
    }

    /// Those of which there is still no file, except absent ones.
    std::vector<missing_part> missing() const
    {
        std::vector<missing_part> rest;
        for (std::size_t i = 0; i != wanted.size(); ++i)
            if (is_missing(entries[i])) rest.push_back(wanted[i]);
        return rest;
    }

    /// Enters the parts in the line of their document, and adds the places of those that it does not lack any
    /// more to `listed`. False if the line says the same as before.
    bool put_into(result_line& line, std::vector<std::uint64_t>& listed) const
    {
        bool changed = false;
        for (std::size_t i = 0; i != wanted.size(); ++i) {
            std::size_t const place = wanted[i].place;
            if (place >= line.parts.size()) line.parts.resize(place + 1);
            part_entry& there = line.parts[place];
            changed |= there.file != entries[i].file || there.error != entries[i].error;
            there = entries[i];
            if (!is_missing(there)) listed.push_back(place);
        }
        return changed;
    }

    ledger_document const& document;
    std::string const& request_id;
    std::vector<missing_part> wanted;
    std::vector<part_entry> entries; ///< of the wanted parts, for the result's line
    /// Where the result is that lacks them; nullopt if it is not recorded yet.
    std::optional<result_location> from;
    std::size_t open;            ///< parts that have not ended
    event* ended = nullptr;      ///< while the parts are fetched: no part is open
    bool is_interrupted = false; ///< the parts without an outcome stay wanted
};

} // namespace ocrpipe::detail

#endif

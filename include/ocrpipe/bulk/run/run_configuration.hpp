#ifndef OCRPIPE_BULK_RUN_RUN_CONFIGURATION_HPP
#define OCRPIPE_BULK_RUN_RUN_CONFIGURATION_HPP

#include <ocrpipe/api/profile.hpp>
#include <ocrpipe/bulk/ledger/ledger.hpp>
#include <ocrpipe/bulk/run/pipeline.hpp>
#include <ocrpipe/core/result.hpp>

#include <map>
#include <string>
#include <vector>

namespace ocrpipe
{

/// The settings of a run that decide which documents are paid for and how they are read. They are kept in the
/// ledger and must be the same in every run of a directory. A pipeline compares and records them itself.
///
/// They are: flow, doc_type, type, parts, text and share_results of the options, the profile's extra fields,
/// the entries of pipeline_options::configuration, and the folders of pipeline_options::inputs.
///
/// A document's id begins with its input as given, so the documents of a folder under another name would be
/// sent, and paid for, again. The names of the folders are therefore compared. If the file system records
/// creation times, a folder is recognized even after it was moved. The working directory is compared, too,
/// for relative inputs and for names on standard input: in another directory, other documents have the same
/// ids. Not detected: the folders of names on standard input and in manifests, and a parent of a folder given
/// before.
class run_configuration
{
public:
    run_configuration(pipeline_options const& options, response_profile const& profile);

    /// Compares with the configuration of the ledger's earlier runs. Returns a text about what changed; empty
    /// if nothing did, if there is no earlier run, or if nothing was sent yet.
    ///
    /// Errors: errc::configuration_changed, unless pipeline_options::accept_changes is set;
    /// errc::invalid_argument if two inputs name one folder differently; errc::ledger_failed.
    result<std::string> compare(ledger& l) const;

    /// Records the configuration in the ledger. `durable` returns the handler of each change.
    void record(ledger& l, std::function<ledger_handler()> const& durable) const;

    /// The settings by name, except the folders.
    std::map<std::string, std::string> const& settings() const noexcept { return settings_; }

    /// Sets the options to those of the ledger's earlier runs: flow, doc_type, type, parts and text.
    /// share_results is set if it was set before. Use this in a run that repeats documents of the ledger; see
    /// ledger_source.
    ///
    /// Errors: errc::ledger_failed.
    static result<void> restore(ledger& l, pipeline_options& into);

private:
    result<void> compare_folders(ledger& l) const;

    std::map<std::string, std::string> settings_;
    std::map<std::string, std::string> folders_; ///< the name given to each folder, by its canonical path
    std::vector<std::string> named_twice_;       ///< a folder's path and its two names, if there is one
    std::string directory_;
    bool accept_changes_ = false;
    bool text_ = false;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/run/impl/run_configuration.ipp>
#endif

#endif

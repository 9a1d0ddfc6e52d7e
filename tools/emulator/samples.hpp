#ifndef OCRPIPE_EMULATOR_SAMPLES_HPP
#define OCRPIPE_EMULATOR_SAMPLES_HPP

#include <filesystem>
#include <string>
#include <vector>

namespace ocrpipe::emulator
{

/// A made-up invoice: what stands on it, and the file it is drawn into.
struct sample_invoice {
    std::string file_name; ///< its ending says the format: .png or .pdf
    std::string text;      ///< everything drawn, in reading order, a line each; a page ends with a form feed
};

/// The invoices that write_sample_invoices() draws: English and Vietnamese, PNG and PDF, one of two pages.
std::vector<sample_invoice> sample_invoices();

/// Draws the invoices into `dir`, which is made when it is not there; files of the same names are replaced.
/// Returns their paths.
///
/// Throws std::runtime_error when a file cannot be written.
/// Thread safety: nobody else in the process may use Fontconfig meanwhile, and so read no PDF.
std::vector<std::filesystem::path> write_sample_invoices(std::filesystem::path const& dir);

} // namespace ocrpipe::emulator

#endif

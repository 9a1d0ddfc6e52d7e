#include "emulator/truth.hpp"

#include "emulator/text.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <system_error>

namespace ocrpipe::emulator
{

truth_log::truth_log(std::string const& path)
{
    if (path.empty()) return;
    file_.reset(std::fopen(path.c_str(), "ae"));
    if (!file_) throw std::system_error(errno, std::generic_category(), "truth log " + path);
    std::setvbuf(file_.get(), nullptr, _IOLBF, 1 << 16);
}

void truth_log::write(std::string_view event,
                      std::initializer_list<std::pair<std::string_view, std::string_view>> fields)
{
    if (!file_) return;
    auto const now = std::chrono::system_clock::now().time_since_epoch();
    std::string line = fmt::format(R"({{"event":"{}","time":{})", event,
                                   std::chrono::duration_cast<milliseconds>(now).count());
    for (auto const& [name, value] : fields) {
        line += ',';
        append_json(line, name);
        line += ':';
        append_json(line, value);
    }
    line += "}\n";
    std::fwrite(line.data(), 1, line.size(), file_.get());
}

} // namespace ocrpipe::emulator

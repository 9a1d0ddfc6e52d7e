// The emulator with the engine that reads documents, where Tesseract's data for English is installed.
#include <ocrpipe/emulator/emulator.hpp>
#include <ocrpipe/emulator/tesseract_reader.hpp>

#include <cstdio>
#include <stdexcept>

int main()
{
    ocrpipe::emulator::emulator_options options;
    try {
        options.readers = ocrpipe::emulator::make_tesseract_readers("eng");
    } catch (std::runtime_error const& e) {
        std::puts(e.what());
        return 0;
    }
    ocrpipe::emulator::emulator const service(options);
    std::puts(service.base_url().c_str());
    return service.port() != 0 ? 0 : 1;
}

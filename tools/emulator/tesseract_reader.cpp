#include "emulator/tesseract_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <dlfcn.h>
#include <leptonica/allheaders.h>
#include <limits>
#include <poppler-document.h>
#include <poppler-global.h>
#include <poppler-image.h>
#include <poppler-page-renderer.h>
#include <poppler-page.h>
#include <stdexcept>
#include <tesseract/baseapi.h>
#include <tesseract/resultiterator.h>

namespace ocrpipe::emulator
{
namespace
{

constexpr int most_pages = 50;
constexpr double most_pixels = 100e6;
constexpr double pdf_dpi = 200;
/// Letters of a receipt scanned at 150 dpi are too small for the recogniser; a wider picture gains nothing.
constexpr int least_width = 1000;
constexpr double most_enlargement = 2.5;

struct pix_deleter {
    void operator()(::Pix* p) const noexcept { ::pixDestroy(&p); }
};
using pix_ptr = std::unique_ptr<::Pix, pix_deleter>;

failure unreadable(std::string reason)
{
    failure f;
    f.code = errc::unreadable_file;
    f.reason = std::move(reason);
    return f;
}

/// Tesseract splits a page's lines over OpenMP threads that wait in spin loops: on two cores that costs six
/// times the time of one thread. OMP_THREAD_LIMIT would have to be set before the process starts, and a
/// header of OpenMP is not to be had with every compiler, so this thread's regions are made inactive through
/// the runtime that Tesseract brought in, if it did.
void stay_in_one_thread()
{
    using setter = void (*)(int);
    if (auto const set = reinterpret_cast<setter>(::dlsym(RTLD_DEFAULT, "omp_set_max_active_levels"))) set(0);
}

std::string png_of(::Pix* pix)
{
    l_uint8* bytes = nullptr;
    std::size_t size = 0;
    if (::pixWriteMemPng(&bytes, &size, pix, 0) != 0) return {};
    std::string out(reinterpret_cast<char const*>(bytes), size);
    ::lept_free(bytes);
    return out;
}

pix_ptr grey(poppler::image const& image)
{
    int const width = image.width();
    int const height = image.height();
    pix_ptr out(::pixCreate(width, height, 8));
    if (!out) return out;
    l_uint32* const data = ::pixGetData(out.get());
    int const words_per_line = ::pixGetWpl(out.get());
    for (int y = 0; y != height; ++y) {
        auto const* row =
            reinterpret_cast<unsigned char const*>(image.const_data()) + y * image.bytes_per_row();
        l_uint32* const line = data + y * words_per_line;
        for (int x = 0; x != width; ++x)
            SET_DATA_BYTE(line, x, row[x]);
    }
    return out;
}

class tesseract_reader : public reader
{
public:
    explicit tesseract_reader(std::string const& languages)
    {
        stay_in_one_thread();
        if (api_.Init(nullptr, languages.c_str(), tesseract::OEM_LSTM_ONLY) != 0)
            throw std::runtime_error(fmt::format(
                "tesseract has no data for '{}' (Debian: tesseract-ocr-eng, tesseract-ocr-vie)", languages));
    }

    /// Tesseract's messages go nowhere: the failed job says what is wrong. The setting is global, whatever
    /// the object.
    void be_quiet() { api_.SetVariable("debug_file", "/dev/null"); }

    result<recognition> read(std::string_view document) override
    {
        if (document.substr(0, 1024).find("%PDF-") != std::string_view::npos) return read_pdf(document);
        return read_image(document);
    }

private:
    result<recognition> read_pdf(std::string_view document)
    {
        if (document.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
            return unreadable("the PDF is too large");
        std::unique_ptr<poppler::document> const pdf(
            poppler::document::load_from_raw_data(document.data(), static_cast<int>(document.size())));
        if (!pdf) return unreadable("the PDF cannot be read");
        if (pdf->is_locked()) return unreadable("the PDF is protected by a password");
        if (pdf->pages() < 1) return unreadable("the PDF has no pages");
        if (pdf->pages() > most_pages)
            return unreadable(fmt::format("the PDF has more than {} pages", most_pages));
        poppler::page_renderer renderer;
        renderer.set_render_hint(poppler::page_renderer::antialiasing);
        renderer.set_render_hint(poppler::page_renderer::text_antialiasing);
        renderer.set_image_format(poppler::image::format_gray8);
        recognition found;
        for (int i = 0; i != pdf->pages(); ++i) {
            std::unique_ptr<poppler::page> const page(pdf->create_page(i));
            if (!page) return unreadable(fmt::format("page {} of the PDF cannot be read", i + 1));
            auto const size = page->page_rect();
            if (size.width() * size.height() * (pdf_dpi / 72) * (pdf_dpi / 72) > most_pixels)
                return unreadable(fmt::format("page {} of the PDF is too large", i + 1));
            pix_ptr const pix = grey(renderer.render_page(page.get(), pdf_dpi, pdf_dpi));
            if (!pix) return unreadable(fmt::format("page {} of the PDF cannot be drawn", i + 1));
            found.pages.push_back(read_page(pix.get()));
        }
        return found;
    }

    result<recognition> read_image(std::string_view document)
    {
        auto const* bytes = reinterpret_cast<l_uint8 const*>(document.data());
        l_int32 format = 0;
        l_int32 width = 0;
        l_int32 height = 0;
        if (::pixReadHeaderMem(bytes, document.size(), &format, &width, &height, nullptr, nullptr, nullptr) !=
            0)
            return unreadable("the file is neither a PDF nor an image");
        if (static_cast<double>(width) * height > most_pixels) return unreadable("the image is too large");
        recognition found;
        bool const tiff = format >= IFF_TIFF && format <= IFF_TIFF_ZIP;
        std::size_t offset = 0;
        for (int page = 0; page == 0 || (tiff && offset != 0); ++page) {
            if (page == most_pages)
                return unreadable(fmt::format("the image has more than {} pages", most_pages));
            pix_ptr const pix(tiff ? ::pixReadMemFromMultipageTiff(bytes, document.size(), &offset)
                                   : ::pixReadMem(bytes, document.size()));
            pix_ptr const grey(pix ? ::pixConvertTo8(pix.get(), 0) : nullptr);
            if (!grey) return unreadable(fmt::format("page {} of the image cannot be read", page + 1));
            found.pages.push_back(read_page(grey.get()));
        }
        return found;
    }

    recognized_page read_page(::Pix* page)
    {
        int const width = ::pixGetWidth(page);
        int const height = ::pixGetHeight(page);
        double const wanted = std::clamp(static_cast<double>(least_width) / width, 1.0, most_enlargement);
        pix_ptr const enlarged(wanted > 1.05
                                   ? ::pixScale(page, static_cast<float>(wanted), static_cast<float>(wanted))
                                   : ::pixClone(page));
        double const scale = static_cast<double>(::pixGetWidth(enlarged.get())) / width;
        // A till receipt is one column of rows; taken for a page of columns, its prices would part from its
        // goods.
        bool const receipt = height > 1.6 * width;
        api_.SetPageSegMode(receipt ? tesseract::PSM_SINGLE_COLUMN : tesseract::PSM_AUTO);
        api_.SetImage(enlarged.get());
        api_.SetSourceResolution(200);

        recognized_page out;
        out.image = png_of(page);
        if (api_.Recognize(nullptr) != 0) return out;
        collect(tesseract::RIL_TEXTLINE, scale, out.lines);
        collect(tesseract::RIL_WORD, scale, out.words);
        api_.Clear();
        return out;
    }

    void collect(tesseract::PageIteratorLevel level, double scale, std::vector<recognized_text>& out)
    {
        std::unique_ptr<tesseract::ResultIterator> const at(api_.GetIterator());
        if (!at) return;
        do {
            std::unique_ptr<char const[]> const raw(at->GetUTF8Text(level));
            std::string_view text = raw ? raw.get() : "";
            while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
                text.remove_suffix(1);
            if (text.empty()) continue;
            recognized_text t;
            t.text = text;
            t.confidence = std::clamp(at->Confidence(level) / 100.0, 0.0, 1.0);
            at->BoundingBox(level, &t.x1, &t.y1, &t.x2, &t.y2);
            for (int* const coordinate : {&t.x1, &t.y1, &t.x2, &t.y2})
                *coordinate = static_cast<int>(*coordinate / scale);
            out.push_back(std::move(t));
        } while (at->Next(level));
    }

    tesseract::TessBaseAPI api_;
};

} // namespace

reader_factory make_tesseract_readers(std::string languages)
{
    // Both libraries write to standard error what the failed job's message says already.
    ::setMsgSeverity(L_SEVERITY_NONE);
    poppler::set_debug_error_function([](std::string const&, void*) {}, nullptr);
    // Throws here rather than in a worker thread, and sets what is global before there are any.
    tesseract_reader(languages).be_quiet();
    return [languages = std::move(languages)]() -> std::unique_ptr<reader> {
        return std::make_unique<tesseract_reader>(languages);
    };
}

} // namespace ocrpipe::emulator

#include "emulator/samples.hpp"

#include <cairo-pdf.h>
#include <cairo.h>
#include <fontconfig/fontconfig.h>
#include <memory>
#include <pango/pangocairo.h>
#include <stdexcept>
#include <string_view>

namespace ocrpipe::emulator
{
namespace
{

// A4 in points, and the resolution of the PNG files: that of a usual scan.
constexpr double page_width = 595;
constexpr double page_height = 842;
constexpr double png_dpi = 150;
constexpr double margin = 50;

struct item {
    char const* name;
    char const* quantity;
    char const* price;
    char const* amount;
};

/// The words of one language.
struct labels {
    char const* title;
    char const* number;
    char const* date;
    char const* seller;
    char const* buyer;
    char const* columns[4];
    char const* total;
    char const* thanks;
};

constexpr labels english{"INVOICE",    "Invoice number:",
                         "Date:",      "Seller:",
                         "Customer:",  {"Description", "Quantity", "Unit price", "Amount"},
                         "Total due:", "Thank you for your order"};
constexpr labels vietnamese{
    "HÓA ĐƠN BÁN HÀNG", "Số hóa đơn:",     "Ngày:",
    "Người bán:",       "Khách hàng:",     {"Tên hàng hóa", "Số lượng", "Đơn giá", "Thành tiền"},
    "Tổng cộng:",       "Cảm ơn quý khách"};

struct page {
    labels const* words;
    char const* number;
    char const* date;
    char const* seller;
    char const* seller_address;
    char const* buyer;
    char const* buyer_address;
    std::vector<item> items;
    char const* total;
};

struct invoice {
    char const* file_name;
    std::vector<page> pages;
};

std::vector<invoice> invoices()
{
    page const bakery{&english,
                      "2041-17",
                      "14 March 2024",
                      "Harbour Lane Bakery",
                      "18 Mill Street, Bristol",
                      "Willow Tree Hotel",
                      "7 Garden Road, Bath",
                      {{"Sourdough loaf", "40", "3.20", "128.00"},
                       {"Butter croissant", "120", "1.10", "132.00"},
                       {"Walnut cake", "6", "18.50", "111.00"}},
                      "371.00"};
    page const workshop{&english,
                        "88-A-305",
                        "2 October 2023",
                        "Northern Bicycle Workshop",
                        "52 Station Avenue, Leeds",
                        "City Courier Services",
                        "120 Bridge Street, York",
                        {{"Brake repair", "12", "24.00", "288.00"},
                         {"Chain replacement", "9", "31.50", "283.50"},
                         {"Rear wheel", "3", "74.90", "224.70"}},
                        "796.20"};
    page const stationery{
        &english,
        "88-A-306",
        "9 October 2023",
        "Northern Bicycle Workshop",
        "52 Station Avenue, Leeds",
        "Riverside School",
        "3 Market Place, Durham",
        {{"Safety helmet", "30", "19.00", "570.00"}, {"Reflective jacket", "30", "12.40", "372.00"}},
        "942.00"};
    page const restaurant{&vietnamese,
                          "HD-00127",
                          "15/03/2024",
                          "Nhà hàng Hương Quê",
                          "25 đường Nguyễn Huệ, Quận 1",
                          "Công ty Ánh Dương",
                          "108 phố Hàng Bông, Hà Nội",
                          {{"Phở bò đặc biệt", "12", "65.000", "780.000"},
                           {"Bún chả", "8", "55.000", "440.000"},
                           {"Cà phê sữa đá", "20", "25.000", "500.000"}},
                          "1.720.000 đồng"};
    page const bookshop{&vietnamese,
                        "HD-00458",
                        "02/10/2023",
                        "Nhà sách Tri Thức",
                        "7 đường Lê Lợi, thành phố Huế",
                        "Trường tiểu học Hoa Sen",
                        "31 đường Trần Phú, Đà Nẵng",
                        {{"Vở học sinh", "200", "8.000", "1.600.000"},
                         {"Bút chì màu", "50", "32.000", "1.600.000"},
                         {"Từ điển tiếng Việt", "5", "180.000", "900.000"}},
                        "4.100.000 đồng"};
    page const shop{
        &vietnamese,
        "HD-01093",
        "28/12/2023",
        "Cửa hàng Điện máy Sao Mai",
        "64 đường Hùng Vương, Cần Thơ",
        "Bà Lê Thị Hồng",
        "9 ngõ Thái Hà, Hà Nội",
        {{"Quạt điện", "3", "450.000", "1.350.000"}, {"Nồi cơm điện", "2", "890.000", "1.780.000"}},
        "3.130.000 đồng"};
    return {{"invoice-bakery.png", {bakery}},
            {"invoice-workshop.pdf", {workshop, stationery}},
            {"hoa-don-nha-hang.png", {restaurant}},
            {"hoa-don-nha-sach.pdf", {bookshop}},
            {"hoa-don-cua-hang.png", {shop}}};
}

/// Draws text and remembers what it drew.
class pen
{
public:
    pen(::cairo_t* cr, std::string& text) : cr_(cr), text_(text) {}

    void write(double x, double y, double size, bool bold, std::string_view words, bool line_end = true)
    {
        text_ += words;
        text_ += line_end ? '\n' : ' ';
        if (cr_ == nullptr) return;
        std::unique_ptr<::PangoLayout, void (*)(void*)> const layout(::pango_cairo_create_layout(cr_),
                                                                     &::g_object_unref);
        std::unique_ptr<::PangoFontDescription, void (*)(::PangoFontDescription*)> const font(
            ::pango_font_description_from_string("DejaVu Sans"), &::pango_font_description_free);
        ::pango_font_description_set_absolute_size(font.get(), size * PANGO_SCALE);
        if (bold) ::pango_font_description_set_weight(font.get(), PANGO_WEIGHT_BOLD);
        ::pango_layout_set_font_description(layout.get(), font.get());
        ::pango_layout_set_text(layout.get(), words.data(), static_cast<int>(words.size()));
        ::cairo_move_to(cr_, x, y);
        ::pango_cairo_show_layout(cr_, layout.get());
    }

    void rule(double y)
    {
        if (cr_ == nullptr) return;
        ::cairo_set_line_width(cr_, 0.7);
        ::cairo_move_to(cr_, margin, y);
        ::cairo_line_to(cr_, page_width - margin, y);
        ::cairo_stroke(cr_);
    }

private:
    ::cairo_t* cr_;
    std::string& text_;
};

/// Draws one page, or without a surface only collects its text.
void draw(::cairo_t* cr, page const& p, std::string& text)
{
    if (cr != nullptr) {
        ::cairo_set_source_rgb(cr, 1, 1, 1);
        ::cairo_paint(cr);
        ::cairo_set_source_rgb(cr, 0, 0, 0);
    }
    pen out(cr, text);
    labels const& words = *p.words;
    auto const field = [&](double y, char const* label, char const* value) {
        out.write(margin, y, 12, false, std::string(label) + " " + value);
    };
    out.write(margin, 50, 24, true, words.title);
    field(110, words.number, p.number);
    field(132, words.date, p.date);
    field(170, words.seller, p.seller);
    out.write(margin, 190, 12, false, p.seller_address);
    field(225, words.buyer, p.buyer);
    out.write(margin, 245, 12, false, p.buyer_address);

    constexpr double columns[4] = {margin, 250, 340, 450};
    for (int i = 0; i != 4; ++i)
        out.write(columns[i], 300, 12, true, words.columns[i], i == 3);
    out.rule(322);
    double y = 335;
    for (item const& row : p.items) {
        char const* const cells[4] = {row.name, row.quantity, row.price, row.amount};
        for (int i = 0; i != 4; ++i)
            out.write(columns[i], y, 12, false, cells[i], i == 3);
        y += 26;
    }
    out.rule(y + 4);
    out.write(300, y + 16, 13, true, std::string(words.total) + " " + p.total);
    out.write(margin, y + 80, 12, false, words.thanks);
}

struct surface_deleter {
    void operator()(::cairo_surface_t* s) const noexcept { ::cairo_surface_destroy(s); }
};
struct context_deleter {
    void operator()(::cairo_t* c) const noexcept { ::cairo_destroy(c); }
};

void check(::cairo_status_t status, std::filesystem::path const& file)
{
    if (status != CAIRO_STATUS_SUCCESS)
        throw std::runtime_error(file.string() + ": " + ::cairo_status_to_string(status));
}

void draw_file(std::filesystem::path const& file, std::vector<page> const& pages)
{
    bool const pdf = file.extension() == ".pdf";
    double const scale = pdf ? 1 : png_dpi / 72;
    std::unique_ptr<::cairo_surface_t, surface_deleter> const surface(
        pdf ? ::cairo_pdf_surface_create(file.c_str(), page_width, page_height)
            : ::cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(page_width * scale),
                                           static_cast<int>(page_height * scale)));
    check(::cairo_surface_status(surface.get()), file);
    std::unique_ptr<::cairo_t, context_deleter> const cr(::cairo_create(surface.get()));
    ::cairo_scale(cr.get(), scale, scale);
    for (page const& p : pages) {
        std::string text;
        draw(cr.get(), p, text);
        ::cairo_show_page(cr.get());
    }
    check(::cairo_status(cr.get()), file);
    if (!pdf) check(::cairo_surface_write_to_png(surface.get(), file.c_str()), file);
    ::cairo_surface_finish(surface.get());
    check(::cairo_surface_status(surface.get()), file);
}

} // namespace

std::vector<sample_invoice> sample_invoices()
{
    std::vector<sample_invoice> out;
    for (invoice const& one : invoices()) {
        sample_invoice sample;
        sample.file_name = one.file_name;
        for (page const& p : one.pages) {
            draw(nullptr, p, sample.text);
            sample.text += '\f';
        }
        out.push_back(std::move(sample));
    }
    return out;
}

std::vector<std::filesystem::path> write_sample_invoices(std::filesystem::path const& dir)
{
    std::filesystem::create_directories(dir);
    std::vector<std::filesystem::path> out;
    for (invoice const& one : invoices()) {
        out.push_back(dir / one.file_name);
        draw_file(out.back(), one.pages);
    }
    // Pango keeps the fonts it found until the thread ends, and Fontconfig its patterns for ever; nobody here
    // draws again.
    ::pango_cairo_font_map_set_default(nullptr);
    ::FcFini();
    return out;
}

} // namespace ocrpipe::emulator

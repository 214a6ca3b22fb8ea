#include "cli/draw/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/atomic_file.h"
#include "cli/pieces.h"

namespace rung {

namespace {

constexpr double kWidth = 860, kHeight = 520, kLeft = 74, kRight = 24, kTop = 66, kBottom = 58;
constexpr double kTextHeight = 15, kLetter = 6.9;  // pixels, of a label's line and of one of its letters

constexpr const char* kLightStyle =
    R"(text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:#57606a}
.title{font-size:16px;font-weight:600;fill:#1f2328}.page{fill:#fff;stroke:#d0d7de}
.grid{stroke:#eaeef2}.frame{fill:none;stroke:#afb8c1}
.line{fill:none;stroke-width:2;stroke-linejoin:round}.dashed{stroke-dasharray:6 5}
.dot{stroke-width:2}.label{font-weight:600}
.halo{font-weight:600;stroke:#fff;stroke-width:4;stroke-linejoin:round}
)";
constexpr const char* kDarkStyle = R"(text{fill:#9198a1}.title{fill:#f0f6fc}.page{fill:#0d1117;stroke:#3d444d}
.grid{stroke:#21262d}.frame{stroke:#656c76}.halo{stroke:#0d1117}
)";
constexpr const char* kLight[] = {"#0969da", "#bc4c00", "#1a7f37", "#8250df", "#cf222e", "#1b7c83"};
constexpr const char* kDark[] = {"#58a6ff", "#f0883e", "#3fb950", "#bc8cff", "#ff7b72", "#39c5cf"};

// Without variables: some programs that draw SVG do not know them.
std::string colours(const char* const (&series)[6], const char* page) {
  std::string out;
  for (int i = 0; i < 6; ++i) {
    out += fmt::format(".line.s{0},.dot.s{0}{{stroke:{1}}}.dot.s{0},.label.s{0}{{fill:{1}}}.hollow.s{0}{{fill:{2}}}\n",
                       i, series[i], page);
  }
  return out;
}

std::string style_sheet() {
  return fmt::format("<style>\n{}{}@media(prefers-color-scheme:dark){{\n{}{}}}\n</style>\n", kLightStyle,
                     colours(kLight, "#fff"), kDarkStyle, colours(kDark, "#0d1117"));
}

double part_of(const ChartAxis& a, double value) {
  if (!a.logarithmic) return (value - a.from) / (a.to - a.from);
  return std::log(value / a.from) / std::log(a.to / a.from);
}

double text_width(const std::string& text) { return kLetter * static_cast<double>(display_columns(text)); }

}  // namespace

Chart::Chart(std::string title, std::string subtitle, ChartAxis x, ChartAxis y)
    : title_(std::move(title)), subtitle_(std::move(subtitle)), x_(std::move(x)), y_(std::move(y)) {}

double Chart::place_x(double x) const { return kLeft + part_of(x_, x) * (kWidth - kLeft - kRight); }
double Chart::place_y(double y) const { return kHeight - kBottom - part_of(y_, y) * (kHeight - kTop - kBottom); }

namespace {

struct Box {
  double x, y, width, height;
};

bool overlap(const Box& a, const Box& b) {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

bool is_free(const Box& box, const std::vector<Box>& taken) {
  if (box.x < kLeft || box.x + box.width > kWidth - kRight || box.y < kTop || box.y + box.height > kHeight - kBottom) {
    return false;
  }
  return std::none_of(taken.begin(), taken.end(), [&](const Box& other) { return overlap(box, other); });
}

// Beside (x, y): the nearest place that nothing stands in; where there is none, to the right of it.
Box place_of(double width, double x, double y, const std::vector<Box>& taken) {
  constexpr double kAside = 10;
  for (int ring = 0; ring < 8; ++ring) {
    const double away = ring * kTextHeight, middle = y - kTextHeight / 2;
    const Box around[] = {{x + kAside, middle - away, width, kTextHeight},
                          {x + kAside, middle + away, width, kTextHeight},
                          {x - kAside - width, middle - away, width, kTextHeight},
                          {x - kAside - width, middle + away, width, kTextHeight},
                          {x - width / 2, middle - away - 16, width, kTextHeight},
                          {x - width / 2, middle + away + 16, width, kTextHeight}};
    for (const Box& box : around) {
      if (is_free(box, taken)) return box;
    }
  }
  return {x + kAside, y - kTextHeight / 2, width, kTextHeight};
}

}  // namespace

// Once all points are known, so that no label covers one.
std::string Chart::draw_labels() const {
  std::string out;
  std::vector<Box> taken;
  for (const auto& [x, y] : dots_) taken.push_back({x - 6, y - 6, 12, 12});
  for (const Label& label : labels_) {
    taken.push_back(place_of(text_width(label.text), label.x, label.y, taken));
    const std::string rest = fmt::format("x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", taken.back().x, taken.back().y + 11.5,
                                         svg_escape(label.text));
    out += fmt::format("<text class=\"halo\" {0}<text class=\"label s{1}\" {0}\n", rest, label.series % 6);
  }
  return out;
}

void Chart::line(const std::vector<std::pair<double, double>>& points, const ChartMark& mark) {
  std::string path;
  for (const auto& [x, y] : points) {
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", place_x(x), place_y(y));
  }
  lines_ += fmt::format("<path class=\"line s{}{}\" d=\"{}\"/>\n", mark.series % 6, mark.dashed ? " dashed" : "", path);
  if (points.size() < 2 || mark.label.empty()) return;
  const double left = place_x(points[0].first), right = place_x(points[1].first);
  const double from = place_y(points[0].second), to = place_y(points[1].second);
  const double aside = from > to + 40 ? text_width(mark.label) + 24 : 0;  // of a line that rises: to the left of it
  labels_.push_back({mark.label, (left + right) / 2 - aside, (from + to) / 2 - 12, mark.series});
}

void Chart::point(double x, double y, const ChartMark& mark) {
  const double left = place_x(x), top = place_y(y);
  points_ += fmt::format("<circle class=\"dot s{}{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4.5\"/>\n", mark.series % 6,
                         mark.hollow ? " hollow" : "", left, top);
  dots_.emplace_back(left, top);
  if (!mark.label.empty()) labels_.push_back({mark.label, left, top, mark.series});
}

std::string Chart::svg() const {
  const double right = kWidth - kRight, bottom = kHeight - kBottom;
  std::string out = fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img">
<title>{2}</title>
{3}<rect class="page" x=".5" y=".5" width="{4}" height="{5}" rx="8"/>
<text class="title" x="{6}" y="30">{2}</text>
<text x="{6}" y="50">{7}</text>
)",
      kWidth, kHeight, svg_escape(title_), style_sheet(), kWidth - 1, kHeight - 1, kLeft, svg_escape(subtitle_));
  for (const double tick : chart_ticks(x_)) {
    out += fmt::format(
               R"(<path class="grid" d="M{0:.1f} {1}V{2}"/><text x="{0:.1f}" y="{3}" text-anchor="middle">{4}</text>)",
               place_x(tick), kTop, bottom, bottom + 18, chart_number(tick)) +
           "\n";
  }
  for (const double tick : chart_ticks(y_)) {
    const double y = place_y(tick);
    out += fmt::format(
               R"(<path class="grid" d="M{0} {1:.1f}H{2}"/><text x="{3}" y="{4:.1f}" text-anchor="end">{5}</text>)",
               kLeft, y, right, kLeft - 8, y + 4, chart_number(tick)) +
           "\n";
  }
  out += fmt::format(R"svg(<rect class="frame" x="{0}" y="{1}" width="{2}" height="{3}"/>
<clipPath id="inside"><rect x="{0}" y="{1}" width="{2}" height="{3}"/></clipPath>
<text x="{4}" y="{5}" text-anchor="middle">{6}</text>
<text transform="translate(20 {7}) rotate(270)" text-anchor="middle">{8}</text>
)svg",
                     kLeft, kTop, right - kLeft, bottom - kTop, (kLeft + right) / 2, kHeight - 16, svg_escape(x_.title),
                     (kTop + bottom) / 2, svg_escape(y_.title));
  return out + "<g clip-path=\"url(#inside)\">\n" + lines_ + points_ + "</g>\n" + draw_labels() + "</svg>\n";
}

std::vector<double> chart_ticks(const ChartAxis& axis) {
  std::vector<double> ticks;
  if (axis.logarithmic) {
    const bool long_axis = axis.to / axis.from > 2e3;
    for (double ten = std::pow(10, std::floor(std::log10(axis.from))); ten <= axis.to; ten *= 10) {
      for (const double times : {1.0, 2.0, 5.0}) {
        const bool wanted = times == 1 || !long_axis;
        if (wanted && ten * times >= axis.from * 0.9999 && ten * times <= axis.to * 1.0001) {
          ticks.push_back(ten * times);
        }
      }
    }
    return ticks;
  }
  const double rough = (axis.to - axis.from) / 8, ten = std::pow(10, std::floor(std::log10(rough)));
  const double step = ten * (rough <= 1 * ten ? 1 : rough <= 2 * ten ? 2 : rough <= 5 * ten ? 5 : 10);
  // no -0
  for (double k = std::ceil(axis.from / step - 1e-9); k * step <= axis.to + step * 1e-9; ++k) {
    ticks.push_back(k * step + 0.0);
  }
  return ticks;
}

std::string chart_number(double value) {
  const double size = std::fabs(value);
  const auto [unit, letter] = size >= 1e6   ? std::pair(1e6, "M")
                              : size >= 1e3 ? std::pair(1e3, "k")
                                            : std::pair(1.0, "");
  return fmt::format("{:.6g}{}", std::round(value / unit * 1e6) / 1e6, letter);
}

std::string svg_escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

void write_svg(const std::filesystem::path& path, const std::string& svg) {
  AtomicFile file(path);
  file.write(svg);
  file.commit();
}

}  // namespace rung

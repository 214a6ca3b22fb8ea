#include "cli/draw/quality_svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/pieces.h"
#include "cli/terminal.h"

namespace rung {

namespace {

// Pixels.
constexpr double kPageWidth = 800, kPageHeight = 480, kPageLeft = 84, kPageRight = 776, kPageTop = 64,
                 kPageBottom = 412;
constexpr double kLabelHeight = 34, kLetterWidth = 6.8;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : visible(text)) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

// The step of 1, 2 or 5 times a power of ten with which an axis up to `max` has about five marks.
double step_of(double max) {
  const double rough = max / 5, power = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double times : {1.0, 2.0, 5.0}) {
    if (times * power >= rough) return times * power;
  }
  return 10 * power;
}

struct Mark {
  double value;
  std::string text;
};

struct Axis {
  double low = 0, high = 1;
  bool by_tens = false;
  std::vector<Mark> marks;

  // 0 at the low end, 1 at the high one.
  double place(double value) const {
    if (!by_tens) return (value - low) / (high - low);
    return value <= low ? 0 : (std::log10(value) - std::log10(low)) / (std::log10(high) - std::log10(low));
  }
};

// "200 MB": marks are round numbers.
std::string round_bytes(double value) {
  std::string text = human_bytes(static_cast<std::uint64_t>(value));
  if (const std::size_t zero = text.find(".0 "); zero != std::string::npos) text.erase(zero, 2);
  return text;
}

Axis axis_of_bytes(double most) {
  Axis axis;
  const double step = step_of(std::max(most, 1.0));
  axis.high = std::max(most, 1.0) * 1.08;
  for (double value = 0; value <= axis.high; value += step) axis.marks.push_back({value, round_bytes(value)});
  return axis;
}

Axis axis_of_divergence(const std::vector<QualityPoint>& points) {
  constexpr double kLeast = 1e-12;  // below it is nothing but rounding
  double least = INFINITY, most = 0;
  for (const QualityPoint& p : points) {
    if (p.divergence > 0) least = std::min(least, std::max(p.divergence, kLeast));
    most = std::max(most, p.divergence);
  }
  Axis axis;
  axis.by_tens = most > 8 * least;
  if (axis.by_tens) {
    axis.low = std::pow(10.0, std::floor(std::log10(least)));
    axis.high = std::pow(10.0, std::ceil(std::log10(most * 1.2)));
    for (double value = axis.low; value <= axis.high * 1.01; value *= 10) {
      axis.marks.push_back({value, fmt::format("{:g}", value)});
    }
  } else {
    axis.high = most > 0 ? most * 1.25 : 1;
    const double step = step_of(axis.high);
    for (double value = 0; value <= axis.high; value += step) axis.marks.push_back({value, fmt::format("{:g}", value)});
  }
  return axis;
}

struct Label {
  const QualityPoint* point;
  double x, y;       // of the dot
  bool to_the_left;  // of it: no room to the right
  double text_y;     // of the name's baseline
};

// Beside their dots, those further down moved on until no two cover each other.
std::vector<Label> place_labels(const std::vector<QualityPoint>& points, const Axis& bytes, const Axis& divergence) {
  std::vector<Label> labels;
  for (const QualityPoint& p : points) {
    const double x = kPageLeft + bytes.place(static_cast<double>(p.bytes)) * (kPageRight - kPageLeft),
                 y = kPageBottom - divergence.place(p.divergence) * (kPageBottom - kPageTop);
    const double width = kLetterWidth * static_cast<double>(std::max(display_columns(visible(p.name)),
                                                                     display_columns(visible(p.note))));
    labels.push_back({&p, x, y, x + 14 + width > kPageRight, y + 1});
  }
  std::sort(labels.begin(), labels.end(), [](const Label& a, const Label& b) { return a.y < b.y; });
  for (std::size_t i = 1; i < labels.size(); ++i) {
    labels[i].text_y = std::max(labels[i].text_y, labels[i - 1].text_y + kLabelHeight);
  }
  double floor = kPageBottom - 20;  // the last of them must not cover the axis: then they move up together
  for (auto label = labels.rbegin(); label != labels.rend(); ++label, floor -= kLabelHeight) {
    label->text_y = std::min(label->text_y, floor);
  }
  return labels;
}

constexpr const char* kStyle =
    "text{font:13px system-ui,-apple-system,\"Segoe UI\",\"DejaVu "
    "Sans\",sans-serif;fill:#1f2328;paint-order:stroke;stroke:#fff;"
    "stroke-width:3px}.small{font-size:11.5px;fill:#57606a}"
    ".title{font-size:15px;font-weight:600}.page{fill:#fff}.edge{stroke:#d0d7de}.grid{stroke:#d8dee4}.axis{stroke:#"
    "57606a}"
    ".base{stroke:#8250df;stroke-dasharray:5 4}.of-base{fill:#8250df}.dot{fill:#0969da}.leader{stroke:#8c959f}"
    "line,.edge{fill:none;stroke-width:1}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3;stroke:#0d1117}.small{fill:#9198a1}.page{fill:#0d1117}.edge{"
    "stroke:#30363d}"
    ".grid{stroke:#21262d}"
    ".axis{stroke:#9198a1}.base{stroke:#bc8cff}.of-base{fill:#bc8cff}.dot{fill:#58a6ff}.leader{stroke:#6e7681}}";

std::string line(const char* kind, double x1, double y1, double x2, double y2) {
  return fmt::format("<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", kind, x1, y1, x2,
                     y2);
}

std::string text(const char* kind, double x, double y, const char* anchor, std::string_view words) {
  return fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", kind, x, y, anchor,
                     escaped(words));
}

std::string draw_axes(const Axis& bytes, const Axis& divergence) {
  std::string out;
  for (const Mark& mark : divergence.marks) {
    const double y = kPageBottom - divergence.place(mark.value) * (kPageBottom - kPageTop);
    out += line("grid", kPageLeft, y, kPageRight, y) + text("small", kPageLeft - 8, y + 4, "end", mark.text);
  }
  for (const Mark& mark : bytes.marks) {
    const double x = kPageLeft + bytes.place(mark.value) * (kPageRight - kPageLeft);
    out += line("axis", x, kPageBottom, x, kPageBottom + 5) + text("small", x, kPageBottom + 20, "middle", mark.text);
  }
  out += line("axis", kPageLeft, kPageBottom, kPageRight, kPageBottom) +
         line("axis", kPageLeft, kPageTop, kPageLeft, kPageBottom);
  out += text("", (kPageLeft + kPageRight) / 2, kPageBottom + 46, "middle", "size of the weights");
  out += fmt::format(
      "<text transform=\"translate(22 {:.1f}) rotate(-90)\" text-anchor=\"middle\">mean KL divergence, nats a "
      "token</text>\n",
      (kPageTop + kPageBottom) / 2);
  return out;
}

}  // namespace

std::string quality_svg(const QualityPoint& base, const std::vector<QualityPoint>& points) {
  double most = static_cast<double>(base.bytes);
  for (const QualityPoint& p : points) most = std::max(most, static_cast<double>(p.bytes));
  const Axis bytes = axis_of_bytes(most), divergence = axis_of_divergence(points);

  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" role=\"img\">\n",
      kPageWidth, kPageHeight);
  out += fmt::format("<title>How far models are from {}</title>\n<style>{}</style>\n", escaped(base.name), kStyle);
  out += fmt::format("<rect class=\"page edge\" x=\".5\" y=\".5\" width=\"{}\" height=\"{}\" rx=\"8\"/>\n",
                     kPageWidth - 1, kPageHeight - 1);
  out += text("title", kPageLeft - 60, 30, "start", fmt::format("How far from {}", base.name)) +
         text("small", kPageLeft - 60, 48, "start", "lower is better: 0 would be the base itself");
  out += draw_axes(bytes, divergence);

  const double base_x = kPageLeft + bytes.place(static_cast<double>(base.bytes)) * (kPageRight - kPageLeft);
  out += line("base", base_x, kPageTop, base_x, kPageBottom);
  out += text("small of-base", base_x + (base_x > kPageWidth / 2 ? -6 : 6), kPageTop + 16,
              base_x > kPageWidth / 2 ? "end" : "start", fmt::format("{}: {}", base.name, human_bytes(base.bytes)));
  for (const Label& label : place_labels(points, bytes, divergence)) {
    const double side = label.to_the_left ? -1 : 1;
    const char* anchor = label.to_the_left ? "end" : "start";
    if (std::abs(label.text_y - label.y) > 4) {
      out += line("leader", label.x, label.y, label.x + side * 10, label.text_y - 4);
    }
    out += fmt::format("<circle class=\"dot\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\"/>\n", label.x, label.y);
    out += text("", label.x + side * 12, label.text_y, anchor, label.point->name);
    out += text("small", label.x + side * 12, label.text_y + 15, anchor, label.point->note);
  }
  return out + "</svg>\n";
}

}  // namespace rung

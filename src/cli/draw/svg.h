// Points and lines → a picture (SVG), for light and dark pages.  Milestones M5, M6.
//
//   Chart chart("SmolLM2 here", "two threads", {.title = "operations per byte", .from = 0.5, .to = 500,
//               .logarithmic = true}, {…});
//   chart.line({{0.5, 14}, {500, 14000}}, {.series = 0, .label = "28 GB/s"});
//   chart.point(3.4, 95, {.series = 1, .label = "decode"});
//   write_svg(path, chart.svg());
//
// An SVG is text: shapes with coordinates, and a style sheet. Colours are classes (s0 to s5, one a series), and the
// style sheet has each of them twice, so that the picture follows the page that it stands in.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace rung {

struct ChartAxis {
  std::string title;
  double from = 0, to = 1;  // from < to; above 0 where logarithmic
  bool logarithmic = false;
};

struct ChartMark {
  std::size_t series = 0;  // its colour
  std::string label = {};  // beside the point; of a line: above its middle
  bool dashed = false;
  bool hollow = false;  // a point that is a ring: what was predicted
};

class Chart {
 public:
  Chart(std::string title, std::string subtitle, ChartAxis x, ChartAxis y);

  // What lies outside the axes is cut off.
  void line(const std::vector<std::pair<double, double>>& points, const ChartMark& mark);
  void point(double x, double y, const ChartMark& mark);

  std::string svg() const;

 private:
  struct Label {
    std::string text;
    double x, y;  // of what it belongs to, in pixels
    std::size_t series;
  };
  double place_x(double x) const;
  double place_y(double y) const;
  std::string draw_labels() const;

  std::string title_, subtitle_;
  ChartAxis x_, y_;
  std::string lines_, points_;
  std::vector<std::pair<double, double>> dots_;  // in pixels
  std::vector<Label> labels_;
};

// Where an axis has its marks: 1, 2 and 5 times powers of ten; of a long logarithmic one only the powers.
std::vector<double> chart_ticks(const ChartAxis& axis);
// "0.5", "20", "3k", "1.5M"
std::string chart_number(double value);

std::string svg_escape(const std::string& text);
// Whole, or not at all. Throws Error.
void write_svg(const std::filesystem::path& path, const std::string& svg);

}  // namespace rung

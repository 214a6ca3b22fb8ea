// Charts: where marks stand on an axis, what is escaped, and that labels keep out of each other's way.
#include "cli/draw/svg.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "base/error.h"

namespace rung {
namespace {

TEST(Svg, TicksOfAnAxisAreOnesTwosAndFives) {
  EXPECT_EQ(chart_ticks({.title = "", .from = 0.5, .to = 50, .logarithmic = true}),
            (std::vector<double>{0.5, 1, 2, 5, 10, 20, 50}));
  EXPECT_EQ(chart_ticks({.title = "", .from = 1, .to = 1e5, .logarithmic = true}),
            (std::vector<double>{1, 10, 100, 1e3, 1e4, 1e5}));
  EXPECT_EQ(chart_ticks({.title = "", .from = -3, .to = 10}), (std::vector<double>{-2, 0, 2, 4, 6, 8, 10}));
}

TEST(Svg, NumbersAreShort) {
  EXPECT_EQ(chart_number(0.5), "0.5");
  EXPECT_EQ(chart_number(3 * 0.1), "0.3");
  EXPECT_EQ(chart_number(20'000), "20k");
  EXPECT_EQ(chart_number(1'500'000), "1.5M");
}

TEST(Svg, TextCannotBecomeMarkup) {
  const Chart chart("<script>", "a & b", {.title = "\"x\""}, {.title = "y\n"});
  const std::string svg = chart.svg();
  EXPECT_EQ(svg.find("<script>"), std::string::npos);
  EXPECT_NE(svg.find("&lt;script&gt;"), std::string::npos);
  EXPECT_NE(svg.find("a &amp; b"), std::string::npos);
  EXPECT_NE(svg.find("&quot;x&quot;"), std::string::npos);
}

TEST(Svg, PointsStandWhereTheirNumbersSay) {
  Chart chart("t", "", {.title = "x", .from = 1, .to = 100, .logarithmic = true}, {.title = "y", .from = 0, .to = 10});
  chart.point(10, 5, {});  // the middle of both axes: (74 + 836) / 2, (66 + 462) / 2
  EXPECT_NE(chart.svg().find("cx=\"455.0\" cy=\"264.0\""), std::string::npos) << chart.svg();
}

TEST(Svg, LabelsOfPointsAtOnePlaceStandApart) {
  Chart chart("t", "", {.title = "x"}, {.title = "y"});
  for (int i = 0; i < 6; ++i) chart.point(0.5, 0.5, {.series = 0, .label = "label"});
  const std::string svg = chart.svg();
  std::set<std::string> places;
  const std::regex label{R"(class="label s0" (x="[^"]+" y="[^"]+"))"};
  for (auto match = std::sregex_iterator(svg.begin(), svg.end(), label); match != std::sregex_iterator(); ++match) {
    places.insert((*match)[1]);
  }
  EXPECT_EQ(places.size(), 6u);
}

TEST(Svg, AFolderThatIsNotThereIsAnError) { EXPECT_THROW(write_svg("no-such-folder/a.svg", "<svg/>"), Error); }

}  // namespace
}  // namespace rung

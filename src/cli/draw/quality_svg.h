// What a comparison found → a picture (SVG) of quality against bytes.  Milestone M5.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rung {

struct QualityPoint {
  std::string name, note;  // the note stands under the name, smaller
  std::uint64_t bytes = 0;
  double divergence = 0;  // mean KL, nats a token
};

// Bytes of weights to the right, divergence upwards: by tens where the points are far apart. The base is a dashed line:
// its divergence is 0. Colours follow the page that shows it, light or dark.
std::string quality_svg(const QualityPoint& base, const std::vector<QualityPoint>& points);

}  // namespace rung

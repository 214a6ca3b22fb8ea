#include "model/checkpoints.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace rung {

void Trace::add(const Checkpoint& at, const NamedTensor& x) {
  CheckpointValues& kept = checkpoints_[at.text()];
  const std::size_t before = kept.rows();
  kept.shape = x.shape;
  kept.shape[0] += before;
  kept.values.insert(kept.values.end(), x.values.begin(), x.values.end());
}

double largest_difference(std::span<const float> ours, std::span<const float> official) {
  double largest = 0;
  for (std::size_t i = 0; i < official.size(); ++i) {
    const double d = std::abs(static_cast<double>(ours[i]) - static_cast<double>(official[i]));
    largest = std::isnan(d) ? std::numeric_limits<double>::infinity() : std::max(largest, d);
  }
  return largest;
}

std::string Difference::text() const {
  const bool in_layer = checkpoint.starts_with("layer.");
  const std::string layer =
      in_layer ? fmt::format(" (layer {})", checkpoint.substr(6, checkpoint.find('.', 6) - 6)) : "";
  return fmt::format("the first checkpoint that differs is {}{}, token row {}: {}", checkpoint, layer, token, what);
}

namespace {

std::optional<Difference> compare_rows(const std::string& name, const CheckpointValues& ours,
                                       const CheckpointValues& official) {
  for (std::size_t t = 0; t < official.rows(); ++t) {
    const double distance = relative_distance(ours.row(t), official.row(t));
    if (distance > kRowTolerance) {
      return Difference{name, t,
                        fmt::format("|ours - official| is {:.3g}·|official|, allowed {:.0e}", distance, kRowTolerance)};
    }
    const double logit = name == "logits" ? largest_difference(ours.row(t), official.row(t)) : 0;
    if (logit > kLogitTolerance) {
      return Difference{name, t, fmt::format("a logit is off by {:.3g}, allowed {:.0e}", logit, kLogitTolerance)};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Difference> compare_checkpoints(const std::map<std::string, CheckpointValues>& ours,
                                              const std::vector<std::string>& order,
                                              const std::function<CheckpointValues(const std::string&)>& official) {
  for (const std::string& name : order) {
    const CheckpointValues expected = official(name);
    const auto found = ours.find(name);
    if (found == ours.end()) return Difference{name, 0, "it is missing"};
    const std::vector<std::size_t>& shape = found->second.shape;
    if (shape != expected.shape) {
      return Difference{
          name, 0, fmt::format("it is [{}], expected [{}]", fmt::join(shape, ", "), fmt::join(expected.shape, ", "))};
    }
    if (auto difference = compare_rows(name, found->second, expected)) return difference;
  }
  return std::nullopt;
}

}  // namespace rung

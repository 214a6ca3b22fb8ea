// Our intermediate tensors beside the official ones: which is the first that differs, and where.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ops/ops.h"
#include "ops/statistics.h"

namespace rung {

// A tensor by name: [rows, ...], a row a token.
struct CheckpointValues {
  std::vector<std::size_t> shape;
  std::vector<float> values;
  std::size_t rows() const { return shape.empty() ? 0 : shape[0]; }
  std::span<const float> row(std::size_t r) const {
    return std::span(values).subspan(r * values.size() / rows(), values.size() / rows());
  }
};

// What TracedOps heard, by name. A second run appends its rows: so does a prompt that is fed piece by piece.
class Trace {
 public:
  void add(const Checkpoint& at, const NamedTensor& x);
  const std::map<std::string, CheckpointValues>& checkpoints() const { return checkpoints_; }

 private:
  std::map<std::string, CheckpointValues> checkpoints_;
};

// The numeric contract of the project: for every token row ‖ours − official‖₂ ≤ 1e-4·‖official‖₂, and every logit
// within 1e-3. (The official implementation differs from itself by 1.4e-5 between instruction sets.)
inline constexpr double kRowTolerance = 1e-4;
inline constexpr double kLogitTolerance = 1e-3;

// Infinite where a value is not a number.
double largest_difference(std::span<const float> ours, std::span<const float> official);

struct Difference {
  std::string checkpoint;    // "layer.1.q_rope"
  std::size_t token = 0;     // the row; of several that differ, the first
  std::string what;          // "‖ours − official‖ is 0.31·‖official‖, allowed 0.0001"
  std::string text() const;  // a line that names checkpoint, layer, row and what
};

// The first in `order` that differs; nullopt: none does. `official(name)` is the official tensor.
std::optional<Difference> compare_checkpoints(const std::map<std::string, CheckpointValues>& ours,
                                              const std::vector<std::string>& order,
                                              const std::function<CheckpointValues(const std::string&)>& official);

}  // namespace rung

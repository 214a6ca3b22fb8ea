#include "ops/ops.h"

#include <fmt/format.h>

#include <stdexcept>

namespace rung {

std::string Checkpoint::text() const { return layer < 0 ? name : fmt::format("layer.{}.{}", layer, name); }

void Ops::check_shapes(bool shapes_fit, const char* verb, const Checkpoint& at) {
  if (!shapes_fit) throw std::logic_error(fmt::format("{} at {}: shapes do not fit", verb, at.text()));
}

}  // namespace rung

// Does the GPU compute what it should? Every kernel, and pebble, on this machine's own Metal.  Milestone M7.
//
// Tests run the kernels on a processor that plays the GPU. What only a real one can show (its compiler, its precision,
// how its matrices lie in registers, its driver) this looks at, where there is one: each verb beside the reference's,
// the same token alone and in company, a model's logits and its words.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/loaded_model.h"

namespace rung {

struct MetalCheck {
  std::string name;     // "linear q4_k, 40 tokens"
  double distance = 0;  // ‖ours − reference‖ / ‖reference‖; where bits must be equal, how many values are not
  double allowed = 0;
  bool passed() const { return distance <= allowed; }  // which no NaN does
};

struct MetalReport {
  std::string gpu;     // "Apple M2 Pro"
  std::string system;  // "Darwin 23.5.0 arm64"
  std::vector<MetalCheck> checks;
  std::size_t failures() const;
};

// `model`: whose logits are compared. `progress` hears of each check. Throws Error: there is no Metal here.
MetalReport check_metal(const LoadedModel& model, const std::function<void(const MetalCheck&)>& progress);

}  // namespace rung

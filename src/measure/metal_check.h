// Does the GPU compute what it should? Every kernel, and pebble, on this machine's own Metal.  Milestone M7.
//
// Tests run the kernels on a processor that plays the GPU. What only a real one can show (its compiler, its precision,
// how its matrices lie in registers, its driver) this looks at, where there is one: each verb beside the reference's,
// the same token alone and in company, a model's logits and its words.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "engine/loaded_model.h"

namespace rung {

struct MetalCheck {
  std::string name;     // "linear q4_k, 40 tokens"
  double distance = 0;  // ‖ours − reference‖ / ‖reference‖; where bits must be equal, how many values are not
  double allowed = 0;
  std::string problem = {};                                               // it could not be looked at: why
  bool passed() const { return problem.empty() && distance <= allowed; }  // which no NaN does
};

struct MetalReport {
  std::string gpu;          // "Apple M2 Pro"
  std::string system;       // "Darwin 23.5.0 arm64"
  bool is_virtual = false;  // a virtual machine's, which passes on to its host's and may do less
  std::vector<MetalCheck> checks = {};
  std::size_t failures() const;
};

// `model`: whose logits are compared. `progress` hears of each check. What the GPU refuses is a check that did not
// pass, and the next ones are made. Throws Error: there is no Metal here.
MetalReport check_metal(const LoadedModel& model, const std::function<void(const MetalCheck&)>& progress);

// The verdict as it is kept, and printed with --json.
OrderedJson json_of(const MetalReport& report);
inline constexpr const char* kVerdictFile = "metal-check.json";  // in Rung's cache folder

// What a user should know before this GPU answers: that nobody has checked it, or not as it is now, or that it failed.
// `kept`: where the verdict is. Nothing, where it was checked and is right.
std::optional<std::string> doubt_about_metal(std::string_view gpu, const std::filesystem::path& kept);

}  // namespace rung

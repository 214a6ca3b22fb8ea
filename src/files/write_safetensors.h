// f32 tensors by name → a safetensors file: what `rung logits --out` and `rung trace --out` leave behind.  Milestones M1, M2.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace rung {

struct OutputTensor {
  std::string name;
  std::vector<std::size_t> shape;   // outermost axis first
  std::vector<std::string> axes;    // their names; may be empty
  std::span<const float> values;
};

// Writes the values from where they lie, in the order given. The axes become metadata: {"axes:logits": "tokens,vocab"}. Names must differ.
// Whole or not at all (base/atomic_file.h). Throws Error.
void write_safetensors(const std::filesystem::path& path, std::span<const OutputTensor> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace rung

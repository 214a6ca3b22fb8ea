// f32 tensors by name → a safetensors file: what `rung logits --out` and `rung trace --out` leave behind.  Milestones
// M1, M2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/atomic_file.h"

namespace rung {

struct OutputTensor {
  std::string name;
  std::vector<std::size_t> shape;  // outermost axis first
  std::vector<std::string> axes;   // their names; may be empty
  std::span<const float> values;
};

// Writes the values from where they lie, in the order given. The axes become metadata: {"axes:logits": "tokens,vocab"}.
// Names must differ. Whole or not at all (base/atomic_file.h). Throws Error.
void write_safetensors(const std::filesystem::path& path, std::span<const OutputTensor> tensors,
                       const std::map<std::string, std::string>& metadata = {});

// The same for tensors that are made one after the other and do not fit in memory together: what they will be is said
// first, their values then come in that order, in pieces of any size.
class SafetensorsWriter {
 public:
  // The values in `tensors` are not looked at. Throws Error.
  SafetensorsWriter(const std::filesystem::path& path, std::span<const OutputTensor> tensors,
                    const std::map<std::string, std::string>& metadata = {});

  void write(std::span<const float> values);
  void commit();  // all values have been written; without it nothing is left behind

 private:
  AtomicFile file_;
  std::uint64_t missing_bytes_;
};

}  // namespace rung

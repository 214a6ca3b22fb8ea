// The bytes of one safetensors file → its tensors and metadata. Pure: no file system, nothing read beyond the header.
// Milestone M1.
//
//   header length u64
//   {"__metadata__": {"format": "pt"}, "norm.weight": {"dtype": "F32", "shape": [576], "data_offsets": [0, 2304]}, …}
//   the data, from which the offsets count
//
// The tensors fill the data from its first byte to its last, each byte in exactly one of them.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>

#include "files/tensor_map.h"

namespace rung {

struct SafetensorsPart {
  std::map<std::string, std::string> metadata;
  TensorMap tensors;
};

// Tensors are views into `bytes`. `file` names it in errors. Throws Error.
SafetensorsPart parse_safetensors(std::span<const std::byte> bytes, const std::string& file);

}  // namespace rung

// What safetensors and GGUF files have in common: names → typed, shaped bytes, memory-mapped.  Milestone M1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/dtype.h"

namespace rung {

struct FileTensor {
  std::string name;
  DType dtype;
  std::vector<std::size_t> shape;    // outermost axis first, as on paper and in PyTorch (GGUF stores the reverse; its reader turns it)
  std::span<const std::byte> bytes;  // points into a MappedFile that the TensorMap's owner holds
  std::string file;                  // for errors

  std::size_t size() const {
    std::size_t n = 1;
    for (const std::size_t e : shape) n *= e;
    return n;
  }
};

// By name, in the order of the name. Readers have checked every entry: bytes.size() is what dtype and shape say, inside the file.
using TensorMap = std::map<std::string, FileTensor, std::less<>>;

}  // namespace rung

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
  // outermost axis first, as on paper and in PyTorch (GGUF stores the reverse; its reader turns it)
  std::vector<std::size_t> shape;
  std::span<const std::byte> bytes;  // points into a MappedFile that the TensorMap's owner holds
  std::string file;                  // for errors

  std::size_t size() const {
    std::size_t n = 1;
    for (const std::size_t e : shape) n *= e;
    return n;
  }
};

// A tensor whose type Rung does not decode: an I64 buffer of positions, 8-bit floats, a newer GGUF type. Files hold
// such tensors beside those that a model needs, and tokenizing needs none at all: so opening the file accepts them, and
// only asking for one is an error (find_tensor).
struct OtherTensor {
  std::string type;  // as the file calls it: "I64", "nvfp4"
  std::vector<std::size_t> shape;
  std::span<const std::byte> bytes;  // empty where the type's size is not known either
  std::string file;
};

// By name, in the order of the name. Readers have checked every entry: bytes.size() is what dtype and shape say, inside
// the file, and shared with no other tensor; the product of the extents fits.
struct TensorMap : std::map<std::string, FileTensor, std::less<>> {
  using map::map;
  std::map<std::string, OtherTensor, std::less<>> others;
};

// The tensor of that name; nullptr if the file has none; an Error that names the type if it is one of the others.
const FileTensor* find_tensor(const TensorMap& tensors, std::string_view name);

}  // namespace rung

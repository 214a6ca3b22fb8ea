// The bytes of one GGUF file → its metadata and tensors. Pure: no file system, nothing read beyond the header.
// Milestone M1.
//
//   "GGUF"  version u32  tensors u64  keys u64
//   keys ×     key string, value type u32, value
//              string: length u64, bytes;  array: element type u32, count u64, elements
//   tensors ×  name string, axes u32, extents u64 × axes (fastest first), type u32, offset u64
//   padding to the alignment (general.alignment, else 32), then the data that the offsets count from
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "files/gguf.h"

namespace rung {

struct GgufPart {
  std::uint32_t version = 0;
  std::map<std::string, GgufValue, std::less<>> metadata;
  TensorMap tensors;
  std::size_t header_bytes = 0;  // all before the padding and the data
};

// Strings and tensors are views into `bytes`. `file` names it in errors. Throws Error.
GgufPart parse_gguf(std::span<const std::byte> bytes, const std::string& file);

// "u32", "string", "array of f32": for errors and for `rung inspect`.
std::string type_name(const GgufValue& value);

// The numbers by which the file knows the type of a value and of an array's elements: for files/write_gguf.h.
std::uint32_t value_type(const GgufValue& value);
std::uint32_t element_type(const GgufArray& array);

}  // namespace rung

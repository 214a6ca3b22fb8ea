#pragma once

#include <cstddef>

namespace rung {

// Bytes [begin, end) of a text.
struct ByteRange {
  std::size_t begin;
  std::size_t end;
  bool operator==(const ByteRange&) const = default;
};

}  // namespace rung

// Where bytes of a text lie: what a tokenizer must not turn into control tokens.  Milestone M8.
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

// Bytes that arrive token by token → text, for exercises whose place is `decode` (seams.h) but that do not hold back
// themselves what is not whole.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/utf8.h"

namespace rung::learn {

// How many bytes, from the first on, wait for none that has not come: all but the beginning of a character at the end.
inline std::size_t whole_bytes(std::string_view bytes) {
  for (std::size_t waiting = std::min<std::size_t>(bytes.size(), 3); waiting > 0; --waiting) {
    LossyUtf8 end;
    std::string shown;
    end.push(bytes.substr(bytes.size() - waiting), shown);
    if (shown.empty()) return bytes.size() - waiting;
  }
  return bytes.size();
}

// Takes them out of `held`.
inline std::string take_whole(std::string& held) {
  const std::size_t whole = whole_bytes(held);
  std::string text = to_valid_utf8(std::string_view(held).substr(0, whole));
  held.erase(0, whole);
  return text;
}

}  // namespace rung::learn

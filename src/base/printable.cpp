#include "base/printable.h"

#include <fmt/format.h>

#include <cstdint>

#include "base/utf8.h"

namespace rung {

namespace {

// C0, DEL and C1 (U+0080 to U+009F, which some terminals obey).
bool is_control(std::string_view sequence) {
  const auto first = static_cast<std::uint8_t>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7f;
  return first == 0xc2 && static_cast<std::uint8_t>(sequence[1]) < 0xa0;
}

}  // namespace

std::string printable(std::string_view text, std::size_t limit_bytes) {
  std::string out;
  while (!text.empty()) {
    const std::size_t bytes = whole_utf8(text);
    const std::string_view sequence = text.substr(0, bytes == 0 ? 1 : bytes);
    std::string piece(sequence);
    if (bytes == 0 || is_control(sequence)) {
      piece.clear();
      for (const char c : sequence) piece += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(c));
    }
    if (out.size() + piece.size() > limit_bytes) return out + "…";
    out += piece;
    text.remove_prefix(sequence.size());
  }
  return out;
}

}  // namespace rung

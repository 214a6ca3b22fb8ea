#include "base/printable.h"

#include <fmt/format.h>

#include <cstdint>

namespace rung {

namespace {

// Bytes of the well-formed UTF-8 sequence at the front of `text` (Unicode, table 3-7), or 0.
std::size_t sequence_bytes(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<std::uint8_t>(text[i]) : std::uint8_t{0}; };
  const auto between = [](std::uint8_t b, int low, int high) { return b >= low && b <= high; };
  const std::uint8_t first = at(0);
  const bool second = between(at(1), 0x80, 0xbf), third = between(at(2), 0x80, 0xbf),
             fourth = between(at(3), 0x80, 0xbf);
  if (first < 0x80) return 1;
  if (between(first, 0xc2, 0xdf)) return second ? 2 : 0;
  if (first == 0xe0) return between(at(1), 0xa0, 0xbf) && third ? 3 : 0;
  if (first == 0xed) return between(at(1), 0x80, 0x9f) && third ? 3 : 0;
  if (between(first, 0xe1, 0xef)) return second && third ? 3 : 0;
  if (first == 0xf0) return between(at(1), 0x90, 0xbf) && third && fourth ? 4 : 0;
  if (between(first, 0xf1, 0xf3)) return second && third && fourth ? 4 : 0;
  if (first == 0xf4) return between(at(1), 0x80, 0x8f) && third && fourth ? 4 : 0;
  return 0;
}

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
    const std::size_t bytes = sequence_bytes(text);
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

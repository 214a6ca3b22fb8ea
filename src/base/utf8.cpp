#include "base/utf8.h"

#include <cstdint>
#include <cstring>

namespace rung {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD

enum class Shape { whole, cut, broken };

// What stands at the start of `text`: a whole character, one cut short by the end of the text, or neither. `length`:
// how many bytes of it fit. The second byte has narrower bounds after E0, ED, F0 and F4: they keep out overlong forms,
// surrogates and what lies beyond U+10FFFF.
Shape look(std::string_view text, std::size_t& length) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  length = 1;
  if (first < 0x80) return Shape::whole;
  if (first < 0xc2 || first > 0xf4) return Shape::broken;
  const std::size_t want = utf8_length(text[0]);
  const unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  for (; length < want; ++length) {
    if (length == text.size()) return Shape::cut;
    if (byte(length) < (length == 1 ? low : 0x80) || byte(length) > (length == 1 ? high : 0xbf)) return Shape::broken;
  }
  return Shape::whole;
}

}  // namespace

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xc0 | c >> 6);
  } else {
    if (c < 0x10000) {
      put(0xe0 | c >> 12);
    } else {
      put(0xf0 | c >> 18);
      put(0x80 | (c >> 12 & 0x3f));
    }
    put(0x80 | (c >> 6 & 0x3f));
  }
  put(0x80 | (c & 0x3f));
}

std::size_t whole_utf8(std::string_view text) {
  std::size_t length = 0;
  return look(text, length) == Shape::whole ? length : 0;
}

std::optional<std::size_t> find_invalid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    std::uint64_t eight = 0;  // most text is ASCII: look at eight bytes at once
    if (i + 8 <= text.size() && (std::memcpy(&eight, text.data() + i, 8), (eight & 0x8080808080808080u) == 0)) {
      i += 8;
      continue;
    }
    std::size_t length = 0;
    if (look(text.substr(i), length) != Shape::whole) return i;
    i += length;
  }
  return std::nullopt;
}

void LossyUtf8::push(std::string_view bytes, std::string& out) {
  std::string joined;
  if (!waiting_.empty()) {
    joined = std::move(waiting_).append(bytes);
    waiting_.clear();
    bytes = joined;
  }
  while (!bytes.empty()) {
    std::size_t length = 0;
    const Shape shape = look(bytes, length);
    if (shape == Shape::cut) {
      waiting_ = bytes;
      return;
    }
    out += shape == Shape::whole ? bytes.substr(0, length) : replacement;
    bytes.remove_prefix(length);
  }
}

void LossyUtf8::finish(std::string& out) {
  if (!waiting_.empty()) out += replacement;
  waiting_.clear();
}

std::string to_valid_utf8(std::string_view bytes) {
  std::string out;
  LossyUtf8 lossy;
  lossy.push(bytes, out);
  lossy.finish(out);
  return out;
}

}  // namespace rung

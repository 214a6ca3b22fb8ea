// Bytes ↔ code points.  Milestone M0.
//
// UTF-8 writes a code point in 1 to 4 bytes: 0xxxxxxx · 110xxxxx 10xxxxxx · 1110xxxx 10xxxxxx 10xxxxxx · 11110xxx
// 10xxxxxx 10xxxxxx 10xxxxxx.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace rung {

// Of a whole, valid character: its bytes, by the first one.
inline std::size_t utf8_length(char first) {
  const auto b = static_cast<unsigned char>(first);
  return b < 0x80 ? 1 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;
}

// The character at p, of text that is known to be valid; p moves behind it.
inline char32_t decode_utf8(const char*& p) {
  const auto byte = [&p](int i) { return static_cast<char32_t>(static_cast<unsigned char>(p[i])); };
  const std::size_t length = utf8_length(*p);
  char32_t c = byte(0);
  if (length == 2) c = (c & 0x1f) << 6 | (byte(1) & 0x3f);
  if (length == 3) c = (c & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
  if (length == 4) c = (c & 0x07) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 | (byte(3) & 0x3f);
  p += length;
  return c;
}

// The start of the character that ends just before p.
inline const char* previous_utf8(const char* p) {
  do --p;
  while ((static_cast<unsigned char>(*p) & 0xc0) == 0x80);
  return p;
}

void append_utf8(std::string& out, char32_t c);

// Bytes of the whole, valid character at the front of `text`, which is not empty; 0: there is none.
std::size_t whole_utf8(std::string_view text);

// Where the first byte lies that is part of no valid character.
std::optional<std::size_t> find_invalid_utf8(std::string_view text);

// How text that arrives in pieces looks when each maximal ill-formed part becomes one U+FFFD (the rule of the Unicode
// standard, chapter 3.9, of the WHATWG decoder and of Rust's from_utf8_lossy). Bytes wait until the character they
// belong to is whole.
class LossyUtf8 {
 public:
  void push(std::string_view bytes, std::string& out);
  void finish(std::string& out);

 private:
  std::string waiting_;  // the start of a character: at most 3 bytes
};

std::string to_valid_utf8(std::string_view bytes);

}  // namespace rung

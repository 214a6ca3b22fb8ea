// A template's string: UTF-8, and which of its bytes a person wrote.  Milestone M8.
//
// What a person types must never become a control token, so every string carries its provenance through whatever a
// template does to it:
//
//   "<|im_start|>" + message.role + "\n"       bytes      <|im_start|>user\n
//    template        a person       template   untrusted              ^^^^      one range
#pragma once

#include "text/byte_range.h"

#include <string>
#include <string_view>
#include <vector>

namespace rung::jinja {

class Text {
 public:
  Text() = default;
  static Text trusted(std::string bytes);
  static Text untrusted(std::string bytes);

  const std::string& bytes() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }
  std::size_t memory() const { return bytes_.size() + untrusted_.size() * sizeof(ByteRange); }
  bool empty() const { return bytes_.empty(); }
  const std::vector<ByteRange>& untrusted_ranges() const { return untrusted_; }  // sorted, disjoint, none touch
  bool is_untrusted(std::size_t at) const;

  void append(std::string_view bytes, bool untrusted = false);
  void append(const Text& other) { append(other, 0, other.size()); }
  void append(const Text& other, std::size_t begin, std::size_t end);  // keeps the provenance of each byte
  Text slice(std::size_t begin, std::size_t end) const;

  bool escaped = false;  // HTML-escaped or declared safe (Python's Markup): `+` escapes what is joined to it

 private:
  void mark(std::size_t begin, std::size_t end);

  std::string bytes_;
  std::vector<ByteRange> untrusted_;
};

// The same text with each letter in the other case; a letter keeps its provenance, however many letters it becomes.
enum class Case;
Text with_case(const Text& text, Case target);
// The letter `c`, which stands at `begin` of `text`, in the other case; what is around it decides the form of a Greek
// Σ.
void append_cased(Text& out, const Text& text, std::size_t begin, char32_t c, Case target);
// `&`, `<`, `>`, `'` and `"` as HTML entities; the result is `escaped`. What is escaped already stays as it is.
Text html_escape(const Text& text);
// The byte range that is left without whitespace (or without the code points of `chars`) at the chosen ends.
enum class Strip { both, left, right };
ByteRange strip_range(std::string_view text, Strip ends);
ByteRange strip_range(std::string_view text, Strip ends, std::string_view chars);

}  // namespace rung::jinja

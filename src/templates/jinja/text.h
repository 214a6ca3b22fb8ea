// A template's string: UTF-8, and who wrote which of its bytes.  Milestone M8.
//
// What a person types must never become a control token. So every string carries along who wrote it:
// "<|im_start|>user\n" + message.content
//  the template's         a person's
// <|im_start|>user\nHi<|im_end|>
//                   ^^ a person's
#pragma once

#include "text/byte_range.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rung::jinja {

// Who wrote something: the template, a person (or a tool), or the assistant, whose messages are told apart.
using Writer = std::uint32_t;
constexpr Writer kTemplate = 0, kPerson = 1, kAssistant = 2;  // kAssistant + i: in the conversation's message i

struct Written : ByteRange {
  Writer by = kTemplate;
};

class Text {
 public:
  Text() = default;
  static Text trusted(std::string bytes);
  static Text written(std::string bytes, Writer by);

  const std::string& bytes() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }
  std::size_t memory() const { return bytes_.size() + written_.size() * sizeof(Written); }
  bool empty() const { return bytes_.empty(); }
  // what is not the template's: sorted, disjoint; where two touch, they have different writers
  const std::vector<Written>& written() const { return written_; }
  Writer writer_of(std::size_t at) const;

  void append(std::string_view bytes, Writer by = kTemplate);
  void append(const Text& other) { append(other, 0, other.size()); }
  void append(const Text& other, std::size_t begin, std::size_t end);  // keeps the provenance of each byte
  Text slice(std::size_t begin, std::size_t end) const;

  bool escaped = false;  // HTML-escaped or declared safe (Python's Markup): `+` escapes what is joined to it

 private:
  void mark(std::size_t begin, std::size_t end, Writer by);

  std::string bytes_;
  std::vector<Written> written_;
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

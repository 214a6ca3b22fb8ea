#include "templates/jinja/text.h"

#include "templates/jinja/unicode.h"

#include <algorithm>

namespace rung::jinja {

namespace {

template <class Dropped>
ByteRange strip_while(std::string_view text, Strip ends, Dropped dropped) {
  std::size_t begin = 0;
  std::size_t end = text.size();
  while (ends != Strip::right && begin < end) {
    std::size_t next = begin;
    if (!dropped(next_code_point(text, next))) break;
    begin = next;
  }
  while (ends != Strip::left && begin < end) {
    const std::size_t last = previous_begin(text, end);
    std::size_t at = last;
    if (!dropped(next_code_point(text, at))) break;
    end = last;
  }
  return {begin, end};
}

// Marks that do not part a word: an apostrophe, a point, an accent.
bool is_inside_word(char32_t c) {
  return c == U'\'' || c == U'.' || c == U':' || c == U'·' || c == U'’' || (c >= 0x300 && c < 0x370) || c == 0xad;
}

// Whether the letter at `begin` is the last of a word that has others before it.
bool ends_word(std::string_view text, std::size_t begin) {
  bool after_letter = false;
  for (std::size_t at = begin; at > 0;) {
    at = previous_begin(text, at);
    std::size_t end = at;
    const char32_t c = next_code_point(text, end);
    if (is_inside_word(c)) continue;
    after_letter = is_cased(c);
    break;
  }
  std::size_t at = begin;
  next_code_point(text, at);
  while (after_letter && at < text.size()) {
    const char32_t c = next_code_point(text, at);
    if (!is_inside_word(c)) return !is_cased(c);
  }
  return after_letter;
}

}  // namespace

Text Text::trusted(std::string bytes) {
  Text text;
  text.bytes_ = std::move(bytes);
  return text;
}

Text Text::written(std::string bytes, Writer by) {
  Text text = trusted(std::move(bytes));
  text.mark(0, text.size(), by);
  return text;
}

Writer Text::writer_of(std::size_t at) const {
  const auto next = std::upper_bound(written_.begin(), written_.end(), at,
                                     [](std::size_t value, const Written& r) { return value < r.begin; });
  return next != written_.begin() && at < std::prev(next)->end ? std::prev(next)->by : kTemplate;
}

void Text::mark(std::size_t begin, std::size_t end, Writer by) {
  if (begin == end || by == kTemplate) return;
  if (!written_.empty() && written_.back().end == begin && written_.back().by == by) {
    written_.back().end = end;
  } else {
    written_.push_back({{begin, end}, by});
  }
}

void Text::append(std::string_view bytes, Writer by) {
  bytes_ += bytes;
  mark(size() - bytes.size(), size(), by);
}

void Text::append(const Text& other, std::size_t begin, std::size_t end) {
  const std::size_t base = size();
  bytes_.append(other.bytes_, begin, end - begin);
  auto range = std::lower_bound(other.written_.begin(), other.written_.end(), begin,
                                [](const Written& r, std::size_t value) { return r.end <= value; });
  for (; range != other.written_.end() && range->begin < end; ++range) {
    mark(base + std::max(range->begin, begin) - begin, base + std::min(range->end, end) - begin, range->by);
  }
}

Text Text::slice(std::size_t begin, std::size_t end) const {
  Text out;
  out.append(*this, begin, end);
  out.escaped = escaped;
  return out;
}

void append_cased(Text& out, const Text& text, std::size_t begin, char32_t c, Case target) {
  std::string mapped;
  if (c == U'Σ' && target == Case::lower) {
    mapped = ends_word(text.bytes(), begin) ? "ς" : "σ";
  } else {
    append_cased(mapped, c, target);
  }
  out.append(mapped, text.writer_of(begin));
}

Text with_case(const Text& text, Case target) {
  Text out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const char32_t c = next_code_point(text.bytes(), at);
    append_cased(out, text, begin, c, target);
  }
  out.escaped = text.escaped;
  return out;
}

Text html_escape(const Text& text) {
  if (text.escaped) return text;
  Text out;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char* entity = nullptr;
    switch (text.bytes()[i]) {
      case '&': entity = "&amp;"; break;
      case '<': entity = "&lt;"; break;
      case '>': entity = "&gt;"; break;
      case '\'': entity = "&#39;"; break;
      case '"': entity = "&#34;"; break;
      default: continue;
    }
    out.append(text, kept, i);
    out.append(entity, text.writer_of(i));
    kept = i + 1;
  }
  out.append(text, kept, text.size());
  out.escaped = true;
  return out;
}

ByteRange strip_range(std::string_view text, Strip ends) { return strip_while(text, ends, is_space); }

ByteRange strip_range(std::string_view text, Strip ends, std::string_view chars) {
  return strip_while(text, ends, [&](char32_t c) {
    for (std::size_t at = 0; at < chars.size();) {
      if (next_code_point(chars, at) == c) return true;
    }
    return false;
  });
}

}  // namespace rung::jinja

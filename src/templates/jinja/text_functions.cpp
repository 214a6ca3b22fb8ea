#include "templates/jinja/text_functions.h"

#include "templates/jinja/unicode.h"

#include <algorithm>
#include <limits>

namespace rung::jinja {

namespace {

// How often to cut: a negative number means always.
std::size_t limit(std::int64_t most) {
  return most < 0 ? std::numeric_limits<std::size_t>::max() : static_cast<std::size_t>(most);
}

void add_piece(Runtime& runtime, std::vector<Value>& pieces, const Text& text, std::size_t begin, std::size_t end) {
  runtime.spend(end - begin + sizeof(Value) + sizeof(Text));
  pieces.emplace_back(text.slice(begin, end));
}

std::vector<Value> split_at_spaces(Runtime& runtime, const Text& text, std::size_t most) {
  const std::string& bytes = text.bytes();
  std::vector<Value> pieces;
  std::size_t at = strip_range(bytes, Strip::left).begin;
  while (at < bytes.size()) {
    if (pieces.size() == most) {
      add_piece(runtime, pieces, text, at, bytes.size());  // the rest as it is, blanks at its end and all
      break;
    }
    std::size_t end = at;
    std::size_t next = at;
    while (next < bytes.size()) {
      end = next;
      if (is_space(next_code_point(bytes, next))) break;
      end = next;
    }
    add_piece(runtime, pieces, text, at, end);
    at = end + strip_range(std::string_view(bytes).substr(end), Strip::left).begin;
  }
  return pieces;
}

std::vector<Value> split_at_spaces_from_right(Runtime& runtime, const Text& text, std::size_t most) {
  const std::string& bytes = text.bytes();
  std::vector<Value> pieces;
  std::size_t end = strip_range(bytes, Strip::right).end;
  while (end > 0) {
    if (pieces.size() == most) {
      add_piece(runtime, pieces, text, 0, end);
      break;
    }
    std::size_t begin = end;
    while (begin > 0) {
      const std::size_t lead = previous_begin(bytes, begin);
      std::size_t at = lead;
      if (is_space(next_code_point(bytes, at))) break;
      begin = lead;
    }
    add_piece(runtime, pieces, text, begin, end);
    end = strip_range(std::string_view(bytes).substr(0, begin), Strip::right).end;
  }
  std::reverse(pieces.begin(), pieces.end());
  return pieces;
}

Text separator_of(Runtime& runtime, const Text* separator) {
  if (separator->empty()) runtime.fail("an empty separator");
  return *separator;
}

}  // namespace

Text replace(Runtime& runtime, const Text& text, const Text& old, const Text& with, std::int64_t most) {
  const std::string& bytes = text.bytes();
  const std::size_t times = limit(most);
  Text out;
  std::size_t kept = 0;
  std::size_t done = 0;
  runtime.spend(text.size());
  const auto put = [&](std::size_t until) {
    runtime.spend(with.size() + sizeof(Written) * (1 + with.written().size()));
    out.append(text, kept, until);
    out.append(with);
    kept = until;
    ++done;
  };
  if (old.empty()) {  // between all code points, and at both ends
    for (std::size_t at = 0; done < times; next_code_point(bytes, at)) {
      put(at);
      if (at == bytes.size()) break;
    }
  } else {
    for (std::size_t at = bytes.find(old.bytes()); at != std::string::npos && done < times;
         at = bytes.find(old.bytes(), kept)) {
      put(at);
      kept = at + old.size();
    }
  }
  out.append(text, kept, text.size());
  return out;
}

std::vector<Value> split(Runtime& runtime, const Text& text, const Text* separator, std::int64_t most) {
  runtime.spend(text.size());
  if (separator == nullptr) return split_at_spaces(runtime, text, limit(most));
  const Text by = separator_of(runtime, separator);
  std::vector<Value> pieces;
  std::size_t begin = 0;
  while (pieces.size() < limit(most)) {
    const std::size_t at = text.bytes().find(by.bytes(), begin);
    if (at == std::string::npos) break;
    add_piece(runtime, pieces, text, begin, at);
    begin = at + by.size();
  }
  add_piece(runtime, pieces, text, begin, text.size());
  return pieces;
}

std::vector<Value> split_from_right(Runtime& runtime, const Text& text, const Text* separator, std::int64_t most) {
  runtime.spend(text.size());
  if (separator == nullptr) return split_at_spaces_from_right(runtime, text, limit(most));
  const Text by = separator_of(runtime, separator);
  std::vector<Value> pieces;
  std::size_t end = text.size();
  while (pieces.size() < limit(most) && end >= by.size()) {
    const std::size_t at = text.bytes().rfind(by.bytes(), end - by.size());
    if (at == std::string::npos) break;
    add_piece(runtime, pieces, text, at + by.size(), end);
    end = at;
  }
  add_piece(runtime, pieces, text, 0, end);
  std::reverse(pieces.begin(), pieces.end());
  return pieces;
}

std::vector<Value> split_lines(Runtime& runtime, const Text& text, bool keep_ends) {
  const std::string& bytes = text.bytes();
  std::vector<Value> lines;
  runtime.spend(text.size());
  std::size_t begin = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t end = at;
    const char32_t c = next_code_point(bytes, at);
    if (!is_line_break(c)) continue;
    if (c == U'\r' && at < bytes.size() && bytes[at] == '\n') ++at;
    add_piece(runtime, lines, text, begin, keep_ends ? at : end);
    begin = at;
  }
  if (begin < bytes.size()) add_piece(runtime, lines, text, begin, bytes.size());
  return lines;
}

Text join(Runtime& runtime, const Text& separator, const std::vector<Value>& items) {
  Text out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i != 0) {
      runtime.spend(separator.size());
      out.append(separator);
    }
    append_text(runtime, out, items[i]);
  }
  return out;
}

Text strip(Runtime& runtime, const Text& text, Strip ends, const Value* chars) {
  runtime.spend(text.size());
  ByteRange range{};
  if (chars == nullptr || chars->is<None>()) {
    range = strip_range(text.bytes(), ends);
  } else if (chars->text() != nullptr) {
    runtime.spend(text.size(), chars->text()->size() / 8 + 1);
    range = strip_range(text.bytes(), ends, chars->text()->bytes());
  } else {
    runtime.fail("stripping takes a string of characters, not a {}", type_name(*chars));
  }
  return text.slice(range.begin, range.end);
}

Text capitalize(const Text& text) {
  if (text.empty()) return text;
  std::size_t first = 0;
  const char32_t c = next_code_point(text.bytes(), first);
  Text out;
  append_cased(out, text, 0, c, Case::title);
  for (std::size_t at = first; at < text.size();) {
    const std::size_t begin = at;
    const char32_t next = next_code_point(text.bytes(), at);
    append_cased(out, text, begin, next, Case::lower);
  }
  out.escaped = text.escaped;
  return out;
}

Text title(const Text& text) {
  Text out;
  bool in_word = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const char32_t c = next_code_point(text.bytes(), at);
    append_cased(out, text, begin, c, in_word ? Case::lower : Case::title);
    in_word = is_cased(c);
  }
  out.escaped = text.escaped;
  return out;
}

Text title_words(const Text& text) {
  Text out;
  bool in_word = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const char32_t c = next_code_point(text.bytes(), at);
    append_cased(out, text, begin, c, in_word ? Case::lower : Case::upper);
    in_word = !(is_space(c) || c == U'-' || c == U'(' || c == U'{' || c == U'[' || c == U'<');
  }
  out.escaped = false;
  return out;
}

Text swap_case(const Text& text) {
  Text out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const char32_t c = next_code_point(text.bytes(), at);
    std::string upper;
    append_cased(upper, c, Case::upper);
    const bool is_upper = upper == std::string_view(text.bytes()).substr(begin, at - begin);
    append_cased(out, text, begin, c, is_upper ? Case::lower : Case::upper);
  }
  out.escaped = text.escaped;
  return out;
}

Text pad(Runtime& runtime, const Text& text, std::int64_t width, Align align, std::string_view fill) {
  const auto count = static_cast<std::int64_t>(count_code_points(text.bytes()));
  runtime.spend(text.size());
  if (width <= count) return text;
  const std::int64_t missing = width - count;
  runtime.spend(static_cast<std::size_t>(missing), fill.size());
  // As Python centers: of an odd number of blanks the extra one goes left where the width is odd.
  const std::int64_t left = align == Align::left    ? 0
                            : align == Align::right ? missing
                                                    : missing / 2 + (missing & width & 1);
  Text out;
  const auto blanks = [&](std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) out.append(fill);
  };
  blanks(left);
  out.append(text);
  blanks(missing - left);
  out.escaped = text.escaped;
  return out;
}

void refuse_escaped(Runtime& runtime, const Text& text, std::string_view function) {
  if (text.escaped) runtime.fail("unsupported: {} on a string that |escape or |safe has marked", function);
}

}  // namespace rung::jinja

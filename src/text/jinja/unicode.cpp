#include "text/jinja/unicode.h"

#include "text/jinja/unicode_tables.h"

#include <algorithm>
#include <span>

namespace rung::jinja {

namespace {

struct CaseTable {
  std::span<const tables::CaseRun> runs;
  std::span<const tables::CaseString> several;
};

CaseTable case_table(Case target) {
  switch (target) {
    case Case::upper: return {{tables::upper, tables::upper_size}, {tables::upper_several, tables::upper_several_size}};
    case Case::lower: return {{tables::lower, tables::lower_size}, {tables::lower_several, tables::lower_several_size}};
    case Case::title: break;
  }
  return {{tables::title, tables::title_size}, {tables::title_several, tables::title_several_size}};
}

// How many bytes a UTF-8 sequence has that begins with `lead`; 0 if none does.
std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return 2;
  if (lead < 0xf0) return 3;
  return lead < 0xf5 ? 4 : 0;
}

char32_t decode(std::string_view sequence) {
  const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(sequence[i])); };
  switch (sequence.size()) {
    case 1: return byte(0);
    case 2: return (byte(0) & 0x1fu) << 6 | (byte(1) & 0x3fu);
    case 3: return (byte(0) & 0x0fu) << 12 | (byte(1) & 0x3fu) << 6 | (byte(2) & 0x3fu);
    default: return (byte(0) & 0x07u) << 18 | (byte(1) & 0x3fu) << 12 | (byte(2) & 0x3fu) << 6 | (byte(3) & 0x3fu);
  }
}

}  // namespace

char32_t next_code_point(std::string_view text, std::size_t& at) {
  const std::size_t length = std::min(std::max<std::size_t>(sequence_length(static_cast<unsigned char>(text[at])), 1), text.size() - at);
  const char32_t c = decode(text.substr(at, length));
  at += length;
  return c;
}

void append_code_point(std::string& out, char32_t c) {
  const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | c >> 6);
    put(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    put(0xe0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3f));
    put(0x80 | (c & 0x3f));
  } else {
    put(0xf0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3f));
    put(0x80 | (c >> 6 & 0x3f));
    put(0x80 | (c & 0x3f));
  }
}

std::size_t first_invalid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sequence_length(static_cast<unsigned char>(text[at]));
    if (length == 0 || length > text.size() - at) return at;
    for (std::size_t i = 1; i < length; ++i) {
      if ((static_cast<unsigned char>(text[at + i]) & 0xc0u) != 0x80u) return at;
    }
    const char32_t c = decode(text.substr(at, length));
    const bool overlong = (length == 3 && c < 0x800) || (length == 4 && c < 0x10000);
    if (overlong || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return at;
    at += length;
  }
  return std::string_view::npos;
}

std::size_t count_code_points(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0u) != 0x80u; }));
}

bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
         c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool is_line_break(char32_t c) { return (c >= 0x0a && c <= 0x0d) || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 || c == 0x2029; }

bool is_printable(char32_t c) {
  const char32_t* const end = tables::printable_edges + tables::printable_edges_size;
  return (std::upper_bound(tables::printable_edges, end, c) - tables::printable_edges) % 2 == 1;
}

bool is_cased(char32_t c) {
  std::string other;
  append_cased(other, c, Case::upper);
  append_cased(other, c, Case::lower);
  std::string same;
  append_code_point(same, c);
  return other != same + same;
}

void append_cased(std::string& out, char32_t c, Case target) {
  const CaseTable table = case_table(target);
  const auto several = std::lower_bound(table.several.begin(), table.several.end(), c,
                                        [](const tables::CaseString& entry, char32_t value) { return entry.code_point < value; });
  if (several != table.several.end() && several->code_point == c) {
    out += several->text;
    return;
  }
  const auto run = std::lower_bound(table.runs.begin(), table.runs.end(), c,
                                    [](const tables::CaseRun& entry, char32_t value) { return entry.last < value; });
  const bool mapped = run != table.runs.end() && c >= run->first && (c - run->first) % static_cast<char32_t>(run->step) == 0;
  append_code_point(out, mapped ? static_cast<char32_t>(static_cast<int>(c) + run->delta) : c);
}

}  // namespace rung::jinja

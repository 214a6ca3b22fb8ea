#include "templates/jinja/unicode.h"

#include "base/utf8.h"
#include "templates/jinja/unicode_tables.h"

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

}  // namespace

char32_t next_code_point(std::string_view text, std::size_t& at) {
  const char* p = text.data() + at;
  const char32_t c = decode_utf8(p);
  at = static_cast<std::size_t>(p - text.data());
  return c;
}

std::size_t previous_begin(std::string_view text, std::size_t at) {
  return static_cast<std::size_t>(previous_utf8(text.data() + at) - text.data());
}

std::size_t count_code_points(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); at += utf8_length(text[at])) ++count;
  return count;
}

bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool is_line_break(char32_t c) {
  return (c >= 0x0a && c <= 0x0d) || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

bool is_printable(char32_t c) {
  const char32_t* const end = tables::printable_edges + tables::printable_edges_size;
  return (std::upper_bound(tables::printable_edges, end, c) - tables::printable_edges) % 2 == 1;
}

bool is_cased(char32_t c) {
  std::string other;
  append_cased(other, c, Case::upper);
  append_cased(other, c, Case::lower);
  std::string same;
  append_utf8(same, c);
  return other != same + same;
}

void append_cased(std::string& out, char32_t c, Case target) {
  const CaseTable table = case_table(target);
  const auto several =
      std::lower_bound(table.several.begin(), table.several.end(), c,
                       [](const tables::CaseString& entry, char32_t value) { return entry.code_point < value; });
  if (several != table.several.end() && several->code_point == c) {
    out += several->text;
    return;
  }
  const auto run = std::lower_bound(table.runs.begin(), table.runs.end(), c,
                                    [](const tables::CaseRun& entry, char32_t value) { return entry.last < value; });
  const bool mapped =
      run != table.runs.end() && c >= run->first && (c - run->first) % static_cast<char32_t>(run->step) == 0;
  append_utf8(out, mapped ? static_cast<char32_t>(static_cast<int>(c) + run->delta) : c);
}

}  // namespace rung::jinja

// Python's knowledge of letters as tables; unicode_tables.cpp is made by tools/python_unicode.py.
#pragma once

#include <cstddef>

namespace rung::jinja::tables {

// Every `step`-th code point of [first, last] has its other case `delta` away.
struct CaseRun {
  char32_t first;
  char32_t last;
  int step;
  int delta;
};

// A code point whose other case is several ("ß" → "SS"), in UTF-8.
struct CaseString {
  char32_t code_point;
  const char* text;
};

extern const CaseRun upper[], lower[], title[];
extern const std::size_t upper_size, lower_size, title_size;
extern const CaseString upper_several[], lower_several[], title_several[];
extern const std::size_t upper_several_size, lower_several_size, title_several_size;

// 0 is not printable; each entry is where that changes.
extern const char32_t printable_edges[];
extern const std::size_t printable_edges_size;

}  // namespace rung::jinja::tables

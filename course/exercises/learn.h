// What your file may use: small parts of the standard library, and two functions of the course.
//
//   print("row %zu: %g\n", r, x);   shows something while your code runs, as printf
//   not_yet("rms_norm");            says that a function is still to be written: take it away when yours is
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

extern "C" void rung_print(const char* text, int bytes);
extern "C" [[noreturn]] void rung_not_yet(const char* what);

__attribute__((format(printf, 1, 2))) inline void print(const char* format, ...) {
  char text[1024];
  va_list values;
  va_start(values, format);
  const int wanted = std::vsnprintf(text, sizeof text, format, values);
  va_end(values);
  if (wanted > 0) rung_print(text, std::min(wanted, static_cast<int>(sizeof text) - 1));
}

[[noreturn]] inline void not_yet(const char* what) { rung_not_yet(what); }

// What only a bug of ours can break, and what would then touch memory that is not ours: checked in every build, where
// an assert is gone from those that people use.
#pragma once

#include <stdexcept>

namespace rung {

[[noreturn]] inline void found_bug(const char* what) { throw std::logic_error(what); }

inline void ensure(bool holds, const char* what) {
  if (!holds) [[unlikely]] {
    found_bug(what);
  }
}

}  // namespace rung

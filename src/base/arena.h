// Memory that is taken piece by piece, stays where it is, and is given back all at once.  Milestone M6.
#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

#include "base/pages.h"

namespace rung {

class Arena {
 public:
  Arena() = default;
  ~Arena() { taken_of_all_ -= taken_; }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // `size` zeroed bytes, aligned to 64. Throws Error: no memory.
  std::byte* take(std::size_t size);
  // Of all arenas together, as they are now.
  static std::size_t bytes_of_all() { return taken_of_all_; }

 private:
  std::vector<Pages> chunks_;
  std::size_t size_ = 0;   // of the last chunk
  std::size_t used_ = 0;   // of it
  std::size_t taken_ = 0;  // of all
  static inline std::atomic<std::size_t> taken_of_all_ = 0;
};

}  // namespace rung

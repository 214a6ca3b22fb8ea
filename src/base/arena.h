// Memory that is taken piece by piece, stays where it is, and is given back all at once.  Milestone M6.
#pragma once

#include <cstddef>
#include <vector>

namespace rung {

// Where the kernel can, it backs the arena with pages of 2 MiB: a processor keeps the addresses of some thousand pages at hand, and with
// pages of 4 KiB that covers only a few megabytes, so that reading a model's weights would look up an address every 64 cache lines.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  // `size` zeroed bytes, aligned to 64. Throws Error: no memory.
  std::byte* take(std::size_t size);
  std::size_t bytes() const { return taken_; }

 private:
  struct Chunk {
    std::byte* data;
    std::size_t size;
  };
  std::vector<Chunk> chunks_;
  std::size_t used_ = 0;   // of the last chunk
  std::size_t taken_ = 0;  // of all
};

}  // namespace rung

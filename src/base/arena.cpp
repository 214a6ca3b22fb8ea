#include "base/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace rung {

namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kChunk = std::size_t{64} << 20;  // addresses only: a page takes memory when it is first written

std::size_t round_up(std::size_t n, std::size_t unit) { return (n + unit - 1) / unit * unit; }

}  // namespace

Arena::~Arena() {
  for (const Chunk& c : chunks_) ::munmap(c.data, c.size);
}

std::byte* Arena::take(std::size_t size) {
  size = round_up(size, 64);
  if (chunks_.empty() || chunks_.back().size - used_ < size) {
    const std::size_t bytes = round_up(std::max(size, kChunk), kHugePage);
    void* data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) fail("no memory for {} bytes of weights: {}", bytes, std::strerror(errno));
#ifdef MADV_HUGEPAGE
    ::madvise(data, bytes, MADV_HUGEPAGE);
#endif
    chunks_.push_back({static_cast<std::byte*>(data), bytes});
    used_ = 0;
  }
  std::byte* piece = chunks_.back().data + used_;
  used_ += size;
  taken_ += size;
  return piece;
}

}  // namespace rung

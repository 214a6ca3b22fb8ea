#include "base/arena.h"

#include <algorithm>

namespace rung {

namespace {

constexpr std::size_t kChunk = std::size_t{64} << 20;  // addresses only: a page takes memory when it is first written

}  // namespace

std::byte* Arena::take(std::size_t size) {
  size = (size + 63) / 64 * 64;
  if (size_ - used_ < size) {
    chunks_.emplace_back(std::max(size, kChunk));
    size_ = std::max(size, kChunk);
    used_ = 0;
  }
  std::byte* piece = chunks_.back().data() + used_;
  used_ += size;
  taken_ += size;
  taken_of_all_ += size;
  return piece;
}

}  // namespace rung

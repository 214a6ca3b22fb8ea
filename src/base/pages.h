// Zeroed memory straight from the system.  Milestone M6.
//
// A processor keeps the addresses of some thousand pages at hand. With pages of 4 KiB that covers only a few megabytes,
// so that reading a model's weights, or the keys and values of a long context, would look up an address every 64 cache
// lines. So large pieces are backed with pages of 2 MiB where the system can. Memory is taken when it is first written:
// what is never used costs addresses only.
#pragma once

#include <cstddef>
#include <utility>

namespace rung {

class Pages {
 public:
  Pages() = default;
  explicit Pages(std::size_t size);  // Throws Error: no memory.
  Pages(Pages&& other) noexcept { *this = std::move(other); }
  Pages& operator=(Pages&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(mapping_, other.mapping_);
    std::swap(mapped_, other.mapped_);
    return *this;
  }
  ~Pages();

  std::byte* data() const { return data_; }  // aligned to a page

 private:
  std::byte* data_ = nullptr;
  void* mapping_ = nullptr;
  std::size_t mapped_ = 0;
};

}  // namespace rung

#include "base/pages.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/error.h"

namespace rung {

namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

}  // namespace

Pages::Pages(std::size_t size) {
  const bool huge = size >= kHugePage;
  if (size > SIZE_MAX - kHugePage) fail("no memory for {} bytes", size);
  mapped_ = huge ? size + kHugePage : size;  // of which the part from the first address that a huge page may have
  void* const mapping = ::mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) fail("no memory for {} bytes: {}", size, std::strerror(errno));
  mapping_ = mapping;
  data_ = static_cast<std::byte*>(mapping);
  if (!huge) return;
  data_ += (kHugePage - reinterpret_cast<std::uintptr_t>(mapping) % kHugePage) % kHugePage;
#if defined(MADV_HUGEPAGE) && !defined(__EMSCRIPTEN__)  // whose pages lie in one array
  ::madvise(data_, size / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
}

Pages::~Pages() {
  if (mapping_ != nullptr) ::munmap(mapping_, mapped_);
}

}  // namespace rung

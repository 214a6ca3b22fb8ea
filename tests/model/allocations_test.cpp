// The decode loop takes no memory: what a token needs was made when the first ones came. Only the cache grows, a block
// at a time.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "engine/device.h"
#include "engine/session.h"
#include "model/golden_model.h"
#include "paths.h"

namespace {
std::atomic<std::size_t> allocations{0};
}

// The program's own `new`, counted: a program may replace these functions. (Inlined, GCC takes free() for the wrong way
// to give back.)
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* p = std::malloc(size == 0 ? 1 : size)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  ++allocations;
  const auto unit = static_cast<std::size_t>(alignment);
  if (void* p = std::aligned_alloc(unit, (size + unit - 1) / unit * unit)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

namespace rung {
namespace {

class Allocations : public testing::TestWithParam<std::string> {};

TEST_P(Allocations, DoNotHappenInTheDecodeLoop) {
  const GoldenFiles files(golden_folder() / "models" / GetParam());
  const Model model = bind_weights(files.plan, files.tensors());
  Device device("cpu", 2);
  Session session(model, device.ops());
  const std::int32_t id = 7;
  // Three times 64 positions and one: a block of the cache has just begun.
  for (std::size_t i = 0; i < 3 * kKvBlock + 1; ++i) session.feed({&id, 1});
  const std::size_t before = allocations;
  for (std::size_t i = 0; i < kKvBlock - 1; ++i) session.feed({&id, 1});
  EXPECT_EQ(allocations - before, 0u);
}

INSTANTIATE_TEST_SUITE_P(Everywhere, Allocations, testing::Values("llama", "qwen3", "gemma3"));

}  // namespace
}  // namespace rung

// Memory for tensors, small and large.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "tensor/tensor.h"

namespace rung {
namespace {

TEST(Buffer, IsZeroedAndAlignedWhateverItsSize) {
  for (const std::size_t size : {1u, 1000u, 524'288u, 1'000'003u}) {  // the last two: 2 MiB and more
    Buffer<float> buffer(size);
    EXPECT_EQ(buffer.size(), size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64, 0u) << size;
    EXPECT_TRUE(std::all_of(buffer.data(), buffer.data() + size, [](float x) { return x == 0.0f; })) << size;
    std::fill_n(buffer.data(), size, 1.0f);  // all of it is there
  }
}

TEST(Buffer, KeepsItsPlaceWhenItMoves) {
  for (const std::size_t size : {std::size_t{16}, std::size_t{1'000'000}}) {
    Buffer<float> first(size);
    float* const place = first.data();
    place[size - 1] = 3.0f;
    Buffer<float> second(8);
    second = std::move(first);
    EXPECT_EQ(second.data(), place);
    EXPECT_EQ(second.size(), size);
    EXPECT_EQ(second.data()[size - 1], 3.0f);
  }
}

}  // namespace
}  // namespace rung

// Sizes and formats as the kernels take them: 32 bits, groups of threads, a format's number.  Milestone M7.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/ensure.h"
#include "kernels/metal/args.h"
#include "ops/metal/gpu.h"
#include "tensor/dtype.h"

namespace rung::metal {

inline std::uint32_t in_32_bits(std::size_t n) {
  ensure(n <= UINT32_MAX, "Metal: a size beyond 32 bits");
  return static_cast<std::uint32_t>(n);
}

inline std::size_t in_groups(std::size_t count, std::size_t of) { return (count + of - 1) / of; }

inline Grid thread_a_value(std::size_t values) {
  return {{in_groups(values, gpu::kElementThreads), 1, 1}, gpu::kElementThreads};
}

// The function constant of a kernel that reads weights in one format, or in two.
struct Products {
  bool normed = false, single = false, wide = false;  // as in gpu::format_constant
};
inline std::uint32_t formats_of(DType first, DType other, Products products = {}) {
  return gpu::format_constant(static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(other), products.normed,
                              products.single, products.wide);
}

}  // namespace rung::metal

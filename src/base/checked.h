// Sums and products of numbers that a file claims: exact, or nothing. A size that wraps around is the oldest hole in
// readers of binary files.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

namespace rung {

constexpr std::optional<std::uint64_t> checked_add(std::uint64_t a, std::uint64_t b) {
  if (b > std::numeric_limits<std::uint64_t>::max() - a) return std::nullopt;
  return a + b;
}

constexpr std::optional<std::uint64_t> checked_mul(std::uint64_t a, std::uint64_t b) {
  if (b != 0 && a > std::numeric_limits<std::uint64_t>::max() / b) return std::nullopt;
  return a * b;
}

}  // namespace rung

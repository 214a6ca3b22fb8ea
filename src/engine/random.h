// A random generator and an exponential of our own: from the same logits, a seed gives the same tokens on every
// platform.  Milestone M3. (The standard library leaves both its distributions and the last bit of exp to each
// implementation.)
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace rung {

// xoshiro256** 1.0 (Blackman & Vigna 2018, arXiv:1805.01407), its state filled by splitmix64.
class Random {
 public:
  explicit Random(std::uint64_t seed) {
    for (std::uint64_t& s : state_) {
      seed += 0x9e3779b97f4a7c15u;
      std::uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
      z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
      s = z ^ (z >> 31);
    }
  }

  std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // Uniform in [0, 1), all 53 bits of a double's fraction.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  std::uint64_t state_[4];
};

// e^x for x ≤ 0, from additions and multiplications alone: the same bits everywhere. Below -700: 0.
inline double portable_exp(double x) {
  if (!(x > -700)) return 0;
  // e^x = 2^k · e^r with |r| ≤ ln2 / 2; ln2 in two parts, so that k·ln2 loses nothing.
  const double k = std::floor(x * 1.4426950408889634 + 0.5);
  const double r = (x - k * 0x1.62e42feep-1) - k * 0x1.a39ef35793c76p-33;
  double sum = 1;
  for (int i = 14; i >= 1; --i) sum = 1 + sum * r / i;  // Taylor's series; the next term is below 1e-17
  return std::bit_cast<double>(static_cast<std::uint64_t>(static_cast<std::int64_t>(k) + 1023) << 52) * sum;
}

}  // namespace rung

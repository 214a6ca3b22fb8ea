// What one thread can at most do with this instruction set: the ceilings that `rung bench` measures and divides by.
// Milestone M6.
//
// Included by each instruction set, inside its target region and namespace, after lanes.h.
//
// A ceiling is measured with the instructions that the kernels use and with nothing else to wait for: products of what
// the first-level cache holds, summed into more registers than the latency of a sum asks for; reads whose values are
// only or-ed together.
#pragma once

// An asm statement without instructions: the compiler must take it for something that reads and writes all memory, so
// that it neither computes ahead of it nor leaves out what only it could see.
inline void seen_by_the_world(const void* p) { asm volatile("" : : "r"(p) : "memory"); }

template <class V, int kStreams>
void read_streams(const std::byte* p, std::size_t bytes, std::size_t near, std::size_t far) {
  const std::size_t each = bytes / kStreams / 64 * 64;
  typename V::Bytes seen[kStreams];
  RUNG_UNROLL
  for (int s = 0; s < kStreams; ++s) seen[s] = V::bytes(0);
  for (std::size_t at = 0; at < each; at += 64) {
    RUNG_UNROLL
    for (int s = 0; s < kStreams; ++s) {
      const std::byte* line = p + static_cast<std::size_t>(s) * each + at;
      if (far > 0) __builtin_prefetch(line + far, 0, 2);
      if (near > 0) __builtin_prefetch(line + near, 0, 3);
      seen[s] = V::bits_or(seen[s], V::load_bytes(line));
    }
  }
  seen_by_the_world(seen);
}

template <class V>
void read_peak(const std::byte* p, std::size_t bytes, std::size_t streams, std::size_t near, std::size_t far) {
  if (streams >= 4) return read_streams<V, 4>(p, bytes, near, far);
  if (streams >= 2) return read_streams<V, 2>(p, bytes, near, far);
  read_streams<V, 1>(p, bytes, near, far);
}

// kSums registers' worth of sums of 16 lanes, four products a lane and step. What is multiplied stays in registers; the
// compiler must not know that it stays the same, or it would multiply once.
template <class V, int kSums>
std::uint64_t int8_peak(std::size_t rounds) {
  const std::int8_t x[4] = {1, -1, 1, -1};
  typename V::Bytes four = V::four_bytes(x), weights = V::bytes(3);
  typename V::Integers sums[kSums];
  RUNG_UNROLL
  for (int s = 0; s < kSums; ++s) sums[s] = V::integers(s);
  for (std::size_t round = 0; round < rounds; ++round) {
    weights = V::held(weights);
    RUNG_UNROLL
    for (int s = 0; s < kSums; ++s) sums[s] = V::dot(sums[s], weights, four);
  }
  typename V::Integers result[kSums];  // sums themselves must stay in registers
  for (int s = 0; s < kSums; ++s) result[s] = sums[s];
  seen_by_the_world(result);
  return std::uint64_t{2} * 64 * kSums * rounds;
}

template <class V, int kSums>
std::uint64_t f32_peak(std::size_t rounds) {
  const typename V::Floats a = V::broadcast(0.5f), b = V::broadcast(0.25f);
  // Sixteen lanes may be several registers: of those that hold the same, the compiler would sum one and copy it.
  float first[16 * kSums] = {};
  seen_by_the_world(first);
  typename V::Floats sums[kSums];
  RUNG_UNROLL
  for (int s = 0; s < kSums; ++s) sums[s] = V::load(first + 16 * s);
  for (std::size_t round = 0; round < rounds; ++round) {
    RUNG_UNROLL
    for (int s = 0; s < kSums; ++s) sums[s] = V::fma(sums[s], a, b);
  }
  seen_by_the_world(sums);
  return std::uint64_t{2} * 16 * kSums * rounds;
}

// kSums: as many as leave room for the operands, and as there must be to hide the latency: two chains for each of its
// cycles.
template <class V, int kIntegerSums, int kFloatSums>
void use_peaks(Kernels& k) {
  k.peaks = {.read = read_peak<V>, .int8 = int8_peak<V, kIntegerSums>, .f32 = f32_peak<V, kFloatSums>, .bf16 = nullptr};
}

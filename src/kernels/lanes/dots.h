// Bytes × bytes, four columns a step: how the dot products inside a tile are chained.  Milestone M6.
//
// Included by the sets' lanes.h, inside an instruction set's target region and namespace.
#pragma once

// A dot product of bytes as a chain of steps of four columns: begin(what the sums are so far), add(chain, weights,
// activations), end(the sums, the chain). A set says which is its own, V::Dot<kSigned>: avx2/lanes.h has one whose
// chain has only 16 bits for a while; this one is for sets whose instruction adds into 32 bits at once.
template <class V, bool kSigned>
struct DotOfFour {
  static constexpr bool kSixteenBits = false;
  using Chain = typename V::Integers;
  static Chain begin(Chain sums) { return sums; }
  static Chain add(Chain sums, typename V::Bytes w, typename V::Bytes x) {
    return kSigned ? V::dot8(sums, w, x) : V::dot(sums, w, x);
  }
  static Chain end(Chain, Chain chain) { return chain; }
};

// How many steps of four columns a chain of dot products may take before it is widened to 32 bits: all where it is 32
// bits wide from the beginning. In 16 bits there is room for 32767 / (2·(2^bits - 1)·128): eight steps of four-bit
// quants, four of five bits, two of six.
template <class AnyDot, class Format>
constexpr int chained_steps() {
  constexpr int kSteps = 8 / Format::kGroups;
  if constexpr (AnyDot::kSixteenBits) {
    const int room = 32767 / (2 * ((1 << Format::kBits) - 1) * 128);
    return room < kSteps ? room : kSteps;
  } else {
    return kSteps;
  }
}

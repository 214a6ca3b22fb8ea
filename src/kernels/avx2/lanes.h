// Sixteen lanes with AVX2: two registers of eight. Included by avx2.cpp for each way to a dot product, inside its
// target region. Milestone M6.
//
// Dots is how four products are added into a lane: Maddubs or Vnni, below.
#pragma once

#include "kernels/lanes/first_lanes.h"

struct Pair {
  __m256i low, high;  // lanes 0–7, 8–15
};

// GCC likes to reorder the integer additions of a whole unrolled tile, and then has too few registers for it. A value
// that an empty asm statement may have changed has to be there at this point.
inline __m256i now(__m256i x) {
  asm("" : "+x"(x));
  return x;
}

// vpmaddubsw multiplies unsigned by signed bytes and adds two products into 16 bits, vpmaddwd adds two of these
// into 32. There is room in 16 bits for several such pairs of small quants (linear.h counts them), so the second comes
// once for all of them.
struct Maddubs {
  static __m256i wide(__m256i sums, __m256i pairs) {
    return now(_mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1))));
  }

  struct Unsigned {
    static constexpr bool kSixteenBits = true;
    using Chain = Pair;
    static Chain begin(Pair) { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
    static Chain add(Chain chain, Pair w, Pair x) {
      return {now(_mm256_add_epi16(chain.low, _mm256_maddubs_epi16(w.low, x.low))),
              now(_mm256_add_epi16(chain.high, _mm256_maddubs_epi16(w.high, x.high)))};
    }
    static Pair end(Pair sums, Chain chain) { return {wide(sums.low, chain.low), wide(sums.high, chain.high)}; }
  };

  // Signed bytes go as |w| against x with w's sign: 2·128·127 < 2¹⁵, so one step at a time.
  struct Signed {
    static constexpr bool kSixteenBits = false;
    using Chain = Pair;
    static Chain begin(Pair sums) { return sums; }
    static Chain add(Chain sums, Pair w, Pair x) {
      return {wide(sums.low, _mm256_maddubs_epi16(_mm256_abs_epi8(w.low), _mm256_sign_epi8(x.low, w.low))),
              wide(sums.high, _mm256_maddubs_epi16(_mm256_abs_epi8(w.high), _mm256_sign_epi8(x.high, w.high)))};
    }
    static Pair end(Pair, Chain chain) { return chain; }
  };
};

template <class Dots>
struct Lanes : FirstLanes<Lanes<Dots>> {
  struct Floats {
    __m256 low, high;
  };
  using Integers = Pair;
  using Bytes = Pair;

  // A token's sums against a panel are two integer and two float registers: two tokens take eight of the sixteen.
  static constexpr int kTilePanels = 1, kTileTokens = 2;
  static constexpr bool kFewRegisters = true;  // sixteen: linear.h, attention.h
  static constexpr int kPlainTokens = 6;       // twelve float registers, two of weights, a broadcast
  static Pair held(Pair a) { return {now(a.low), now(a.high)}; }
  // Six queries × 16 keys or dimensions are twelve float registers, and what is loaded serves six.
  static constexpr int kTileQueries = 6, kTileColumns = 1, kFewQueriesColumns = 2;

  static Floats broadcast(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
  static Floats load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
  static void store(float* p, Floats x) {
    _mm256_storeu_ps(p, x.low);
    _mm256_storeu_ps(p + 8, x.high);
  }
  static Floats load_f16(const std::byte* p) {
    return {_mm256_cvtph_ps(half_register(p)), _mm256_cvtph_ps(half_register(p + 16))};
  }
  static Floats load_bf16(const std::byte* p) {
    return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half_register(p)), 16)),
            _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half_register(p + 16)), 16))};
  }
  // Of lanes that hold two bf16 each: the first, the second.
  static Floats first_bf16(Bytes a) {
    return {_mm256_castsi256_ps(_mm256_slli_epi32(a.low, 16)), _mm256_castsi256_ps(_mm256_slli_epi32(a.high, 16))};
  }
  static Floats second_bf16(Bytes a) {
    const Bytes upper = bits_and(a, integers(INT32_MIN >> 15));
    return {_mm256_castsi256_ps(upper.low), _mm256_castsi256_ps(upper.high)};
  }
  static Floats load_int8(const std::byte* p) {
    const __m128i all = half_register(p);
    return to_floats({_mm256_cvtepi8_epi32(all), _mm256_cvtepi8_epi32(_mm_srli_si128(all, 8))});
  }
  static void store_f16(std::uint16_t* p, Floats x) {
    constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(x.low, kNearest));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p + 8), _mm256_cvtps_ph(x.high, kNearest));
  }

  static Floats add(Floats a, Floats b) { return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)}; }
  static Floats sub(Floats a, Floats b) { return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)}; }
  static Floats mul(Floats a, Floats b) { return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)}; }
  static Floats div(Floats a, Floats b) { return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)}; }
  static Floats fma(Floats a, Floats b, Floats c) {
    return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
  }
  // Of a NaN and a number, min and max give b.
  static Floats min(Floats a, Floats b) { return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)}; }
  static Floats max(Floats a, Floats b) { return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)}; }
  static Floats negative(Floats a) {
    const __m256 sign = _mm256_castsi256_ps(_mm256_set1_epi32(INT32_MIN));
    return {_mm256_xor_ps(a.low, sign), _mm256_xor_ps(a.high, sign)};
  }
  static Floats round(Floats a) {
    constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    return {_mm256_round_ps(a.low, kNearest), _mm256_round_ps(a.high, kNearest)};
  }
  static Floats times_power_of_two(Floats a, Floats n) { return {raised(a.low, n.low), raised(a.high, n.high)}; }
  static Floats where_less(Floats a, Floats b, Floats then, Floats otherwise) {
    return {_mm256_blendv_ps(otherwise.low, then.low, _mm256_cmp_ps(a.low, b.low, _CMP_LT_OQ)),
            _mm256_blendv_ps(otherwise.high, then.high, _mm256_cmp_ps(a.high, b.high, _CMP_LT_OQ))};
  }
  static float sum(Floats a) {  // lanes i and i+8, then i+4, i+2, i+1
    const __m256 eight = _mm256_add_ps(a.low, a.high);
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    four = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
  }
  static float largest(Floats a) {
    const __m256 eight = _mm256_max_ps(a.low, a.high);
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    four = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(four, _mm_movehdup_ps(four)));
  }
  // as integers the magnitudes order alike, and NaN is the largest
  static float largest_magnitude(Floats a, Floats b) {
    const __m256i of_a = _mm256_max_epu32(magnitude(a.low), magnitude(a.high));
    const __m256i of_b = _mm256_max_epu32(magnitude(b.low), magnitude(b.high));
    const __m256i eight = _mm256_max_epu32(of_a, of_b);
    __m128i four = _mm_max_epu32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
    four = _mm_max_epu32(four, _mm_srli_si128(four, 8));
    return _mm_cvtss_f32(_mm_castsi128_ps(_mm_max_epu32(four, _mm_srli_si128(four, 4))));
  }

  static Integers integers(std::int32_t x) { return {_mm256_set1_epi32(x), _mm256_set1_epi32(x)}; }
  static Floats to_floats(Integers a) { return {_mm256_cvtepi32_ps(a.low), _mm256_cvtepi32_ps(a.high)}; }
  static Integers to_integers(Floats a) { return {_mm256_cvtps_epi32(a.low), _mm256_cvtps_epi32(a.high)}; }
  static std::int32_t sum(Integers a) {
    const __m256i eight = _mm256_add_epi32(a.low, a.high);
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
    four = _mm_add_epi32(four, _mm_srli_si128(four, 8));
    return _mm_cvtsi128_si32(_mm_add_epi32(four, _mm_srli_si128(four, 4)));
  }
  static void store_int8(std::int8_t* p, Integers a) {
    const __m128i low = _mm_packs_epi32(_mm256_castsi256_si128(a.low), _mm256_extracti128_si256(a.low, 1));
    const __m128i high = _mm_packs_epi32(_mm256_castsi256_si128(a.high), _mm256_extracti128_si256(a.high, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(low, high));
  }
  static Floats small_integers(const std::byte* p, int shift, int mask) {
    return to_floats(bits_and(shifted(p, shift), integers(mask)));
  }

  static Bytes load_bytes(const std::byte* p) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)),
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32))};
  }
  static void store_bytes(std::int8_t* p, Bytes a) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a.low);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 32), a.high);
  }
  static Bytes bytes(int x) { return {_mm256_set1_epi8(static_cast<char>(x)), _mm256_set1_epi8(static_cast<char>(x))}; }
  static Bytes four_bytes(const std::int8_t* p) {
    std::int32_t four;
    __builtin_memcpy(&four, p, 4);
    return integers(four);
  }
  static Bytes nibbles(Bytes a, int shift) { return bits_and(down(a, shift), bytes(15)); }
  static Bytes move_bits(Bytes a, int up) {
    if (up < 0) return down(a, -up);
    const __m128i count = _mm_cvtsi32_si128(up);
    return {_mm256_sll_epi32(a.low, count), _mm256_sll_epi32(a.high, count)};
  }
  // A table of sixteen bytes (the same in each half of a register), and what stands there at places 0 to 15.
  static Bytes sixteen_bytes(const std::int8_t* p) {
    const __m256i both = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    return {both, both};
  }
  static Bytes look_up(Bytes table, Bytes codes) {
    return {_mm256_shuffle_epi8(table.low, codes.low), _mm256_shuffle_epi8(table.high, codes.high)};
  }
  static Bytes bits_and(Bytes a, Bytes b) { return {_mm256_and_si256(a.low, b.low), _mm256_and_si256(a.high, b.high)}; }
  static Bytes bytes_add(Bytes a, Bytes b) { return {_mm256_add_epi8(a.low, b.low), _mm256_add_epi8(a.high, b.high)}; }
  static Bytes bits_or(Bytes a, Bytes b) { return {_mm256_or_si256(a.low, b.low), _mm256_or_si256(a.high, b.high)}; }

  template <bool kSigned>
  using Dot = std::conditional_t<kSigned, typename Dots::Signed, typename Dots::Unsigned>;
  static Integers dot(Integers sums, Bytes w, Bytes x) {  // a chain of one step
    return Dots::Unsigned::end(sums, Dots::Unsigned::add(Dots::Unsigned::begin(sums), w, x));
  }
  static Integers start8(std::int32_t) { return integers(0); }

 private:
  static __m256i magnitude(__m256 x) { return _mm256_and_si256(_mm256_castps_si256(x), _mm256_set1_epi32(INT32_MAX)); }
  static __m128i half_register(const std::byte* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
  static __m256 raised(__m256 a, __m256 n) {  // the exponent is bits 23 and up
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a), _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23)));
  }
  static Pair down(Pair a, int bits) {
    const __m128i count = _mm_cvtsi32_si128(bits);
    return {_mm256_srl_epi32(a.low, count), _mm256_srl_epi32(a.high, count)};
  }
  static Pair shifted(const std::byte* p, int shift) {
    const __m128i all = half_register(p);
    return down({_mm256_cvtepu8_epi32(all), _mm256_cvtepu8_epi32(_mm_srli_si128(all, 8))}, shift);
  }
};

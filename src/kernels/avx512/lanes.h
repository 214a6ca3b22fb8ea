// Sixteen lanes with AVX-512: one register. Included by each set of AVX-512, inside its target region and anonymous
// namespace. Milestone M6.
//
// An intrinsic is a function that the compiler replaces by one instruction; the ending names the lanes: ps are floats,
// epi32 and epi8 integers. Dots is how four products are added into a lane: Maddubs, below, or Vnni.
#pragma once

#include "kernels/lanes/dots.h"

// As in avx2/lanes.h: unsigned by signed bytes into 16 bits, then pairs into 32. Signed weights go as |w| against x
// with w's sign, which here is a mask: a bit for each byte that is negative.
struct Maddubs {
  static __m512i dot(__m512i sums, __m512i w, __m512i x) {
    return _mm512_add_epi32(sums, _mm512_madd_epi16(_mm512_maddubs_epi16(w, x), _mm512_set1_epi16(1)));
  }
  static __m512i dot8(__m512i sums, __m512i w, __m512i x) {
    return dot(sums, _mm512_abs_epi8(w), _mm512_mask_sub_epi8(x, _mm512_movepi8_mask(w), _mm512_setzero_si512(), x));
  }
  static constexpr std::int32_t kOffset8 = 0;
  static __m512i ready8(__m512i w) { return w; }
  static __m512i dot_ready8(__m512i sums, __m512i w, __m512i x) { return dot8(sums, w, x); }
};

template <class Dots>
struct Lanes {
  using Floats = __m512;     // a float a lane
  using Integers = __m512i;  // an int32 a lane
  using Bytes = __m512i;     // four bytes a lane

  // A tile: 2 panels × 6 tokens are 12 integer and 12 float sums, which with the weights and a broadcast fit into the
  // 32 registers. Eight loads feed its twelve dot products; one panel and twelve tokens would need thirteen.
  static constexpr int kTilePanels = 2, kTileTokens = 6;
  static constexpr bool kFewRegisters = false;
  static constexpr int kPlainTokens = 12;  // 24 float sums, two registers of weights, a broadcast
  // Of attention: 12 queries × 2 registers of keys are 24 sums; up to six queries take four, to hide the latency of
  // sums.
  static constexpr int kTileQueries = 12, kTileColumns = 2, kFewQueriesColumns = 4;

  static Floats broadcast(float x) { return _mm512_set1_ps(x); }
  static Floats load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, Floats x) { _mm512_storeu_ps(p, x); }
  // The first n of 16, the others 0: memory past them is not touched.
  static Floats load_first(const float* p, std::size_t n) { return _mm512_maskz_loadu_ps(first(n), p); }
  static void store_first(float* p, Floats x, std::size_t n) { _mm512_mask_storeu_ps(p, first(n), x); }
  static Floats load_f16(const std::byte* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static Floats load_bf16(const std::byte* p) {
    const __m256i bf16s = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bf16s), 16));
  }
  // Of lanes that hold two bf16 each: the first, the second. (A bf16 is the upper half of a float.)
  static Floats first_bf16(Bytes a) { return _mm512_castsi512_ps(_mm512_slli_epi32(a, 16)); }
  static Floats second_bf16(Bytes a) {
    return _mm512_castsi512_ps(_mm512_and_si512(a, _mm512_set1_epi32(INT32_MIN >> 15)));
  }
  static Floats load_int8(const std::byte* p) {
    return to_floats(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }
  static void store_f16(std::uint16_t* p, Floats x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }

  static Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
  static Floats sub(Floats a, Floats b) { return _mm512_sub_ps(a, b); }
  static Floats mul(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
  static Floats div(Floats a, Floats b) { return _mm512_div_ps(a, b); }
  static Floats fma(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }  // a·b + c, rounded once
  static Floats min(Floats a, Floats b) { return _mm512_min_ps(a, b); }                 // of a NaN and a number: b
  static Floats max(Floats a, Floats b) { return _mm512_max_ps(a, b); }
  static Floats negative(Floats a) {
    return _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(a), _mm512_set1_epi32(INT32_MIN)));
  }
  static Floats round(Floats a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static Floats times_power_of_two(Floats a, Floats n) { return _mm512_scalef_ps(a, n); }
  static Floats where_less(Floats a, Floats b, Floats then, Floats otherwise) {
    return _mm512_mask_mov_ps(otherwise, _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), then);
  }
  static float sum(Floats a) {  // lanes i and i+8, then i+4, i+2, i+1: the order of every instruction set here
    const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    four = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
  }
  static float largest(Floats a) { return _mm512_reduce_max_ps(a); }
  // as integers the magnitudes order alike, and NaN is the largest
  static float largest_magnitude(Floats a, Floats b) {
    const unsigned bits = _mm512_reduce_max_epu32(_mm512_max_epu32(magnitude(a), magnitude(b)));
    float result;
    __builtin_memcpy(&result, &bits, 4);
    return result;
  }

  static Integers integers(std::int32_t x) { return _mm512_set1_epi32(x); }
  static Floats to_floats(Integers a) { return _mm512_cvtepi32_ps(a); }
  static Integers to_integers(Floats a) { return _mm512_cvtps_epi32(a); }
  static std::int32_t sum(Integers a) { return _mm512_reduce_add_epi32(a); }
  static void store_int8(std::int8_t* p, Integers a) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtsepi32_epi8(a));
  }
  // 16 bytes: (byte >> shift) & mask
  static Floats small_integers(const std::byte* p, int shift, int mask) {
    return to_floats(_mm512_and_si512(shifted(p, shift), integers(mask)));
  }

  static Bytes load_bytes(const std::byte* p) { return _mm512_loadu_si512(p); }
  static void store_bytes(std::int8_t* p, Bytes a) { _mm512_storeu_si512(p, a); }
  static Bytes bytes(int x) { return _mm512_set1_epi8(static_cast<char>(x)); }
  static Bytes four_bytes(const std::int8_t* p) {  // the same four in every lane
    int four;
    __builtin_memcpy(&four, p, 4);
    return _mm512_set1_epi32(four);
  }
  static Bytes nibbles(Bytes a, int shift) {
    return _mm512_and_si512(_mm512_srl_epi32(a, _mm_cvtsi32_si128(shift)), bytes(15));
  }
  // up or, where negative, down; mask what comes in
  static Bytes move_bits(Bytes a, int up) { return _mm512_rolv_epi32(a, integers(up)); }
  // A table of sixteen bytes (the same in each quarter of the register), and what stands there at places 0 to 15.
  static Bytes sixteen_bytes(const std::int8_t* p) {
    return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static Bytes look_up(Bytes table, Bytes codes) { return _mm512_shuffle_epi8(table, codes); }
  // an asm statement without instructions: the compiler no longer knows what the register holds
  static Bytes held(Bytes a) {
    asm("" : "+v"(a));
    return a;
  }
  static Bytes bits_and(Bytes a, Bytes b) { return _mm512_and_si512(a, b); }
  static Bytes bits_or(Bytes a, Bytes b) { return _mm512_or_si512(a, b); }
  static Bytes bytes_add(Bytes a, Bytes b) { return _mm512_add_epi8(a, b); }

  template <bool kSigned>
  using Dot = DotOfFour<Lanes, kSigned>;
  // sums + Σ of four products a lane, w unsigned and below 64, x signed; dot8: w signed.
  static Integers dot(Integers sums, Bytes w, Bytes x) { return Dots::dot(sums, w, x); }
  static Integers dot8(Integers sums, Bytes w, Bytes x) { return Dots::dot8(sums, w, x); }
  // dot8 in two steps: ready8(w) once, dot_ready8 for each token.
  static Bytes ready8(Bytes w) { return Dots::ready8(w); }
  static Integers dot_ready8(Integers sums, Bytes w, Bytes x) { return Dots::dot_ready8(sums, w, x); }
  static Integers start8(std::int32_t minus_sum) { return integers(Dots::kOffset8 * minus_sum); }

 private:
  static __m512i magnitude(Floats x) { return _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(INT32_MAX)); }
  static __mmask16 first(std::size_t n) { return static_cast<__mmask16>((1u << n) - 1); }
  static __m512i shifted(const std::byte* p, int shift) {
    return _mm512_srl_epi32(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))),
                            _mm_cvtsi32_si128(shift));
  }
};

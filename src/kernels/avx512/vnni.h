// VNNI's dot product.  Milestone M6.
//
// Included inside a target region and namespace, after lanes.h.
#pragma once

// vpdpbusd: four products of unsigned and signed bytes into 32 bits, at once and exactly. Signed weights go as w + 128,
// whose 128·Σx is taken back by where the sums start.
struct Vnni {
  static __m512i dot(__m512i sums, __m512i w, __m512i x) { return _mm512_dpbusd_epi32(sums, w, x); }
  static __m512i ready8(__m512i w) { return _mm512_xor_si512(w, _mm512_set1_epi8(-128)); }
  static __m512i dot_ready8(__m512i sums, __m512i w, __m512i x) { return dot(sums, w, x); }
  static __m512i dot8(__m512i sums, __m512i w, __m512i x) { return dot(sums, ready8(w), x); }
  static constexpr std::int32_t kOffset8 = 128;
};

// Sixteen lanes with NEON: four registers of four. Included once, by neon.cpp, inside its target region.  Milestone M6.
#pragma once

// Whatever is done to one register of four is done to each of the four.
template <class T>
struct Four {
  T part[4];
};

struct Lanes {
  using Floats = Four<float32x4_t>;
  using Integers = Four<int32x4_t>;
  using Bytes = Four<uint8x16_t>;

  // A token's sums against a panel are four integer and four float registers: two tokens take sixteen of the thirty-two.
  static constexpr int kTilePanels = 1, kTileTokens = 2;
  static constexpr int kTileQueries = 3, kTileColumns = 2;

  static Floats broadcast(float x) { return {{vdupq_n_f32(x), vdupq_n_f32(x), vdupq_n_f32(x), vdupq_n_f32(x)}}; }
  static Floats load(const float* p) { return {{vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)}}; }
  static void store(float* p, Floats x) {
    for (int i = 0; i < 4; ++i) vst1q_f32(p + 4 * i, x.part[i]);
  }
  static Floats load_first(const float* p, std::size_t n) {
    if (n == 16) return load(p);
    float some[16] = {};
    __builtin_memcpy(some, p, n * sizeof(float));
    return load(some);
  }
  static void store_first(float* p, Floats x, std::size_t n) {
    if (n == 16) return store(p, x);
    float all[16];
    store(all, x);
    __builtin_memcpy(p, all, n * sizeof(float));
  }
  static Floats load_f16(const std::byte* p) {
    Floats r;
    for (int i = 0; i < 4; ++i) r.part[i] = vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(reinterpret_cast<const std::uint8_t*>(p) + 8 * i)));
    return r;
  }
  static Floats load_bf16(const std::byte* p) {
    Floats r;
    for (int i = 0; i < 4; ++i) {
      r.part[i] = vreinterpretq_f32_u32(vshll_n_u16(vreinterpret_u16_u8(vld1_u8(reinterpret_cast<const std::uint8_t*>(p) + 8 * i)), 16));
    }
    return r;
  }
  static Floats load_int8(const std::byte* p) {
    const int8x16_t all = vld1q_s8(reinterpret_cast<const std::int8_t*>(p));
    const int16x8_t low = vmovl_s8(vget_low_s8(all)), high = vmovl_s8(vget_high_s8(all));
    return to_floats({{vmovl_s16(vget_low_s16(low)), vmovl_s16(vget_high_s16(low)),  //
                       vmovl_s16(vget_low_s16(high)), vmovl_s16(vget_high_s16(high))}});
  }
  static void store_f16(std::uint16_t* p, Floats x) {
    for (int i = 0; i < 4; ++i) vst1_u16(p + 4 * i, vreinterpret_u16_f16(vcvt_f16_f32(x.part[i])));
  }

  static Floats add(Floats a, Floats b) {
    for (int i = 0; i < 4; ++i) a.part[i] = vaddq_f32(a.part[i], b.part[i]);
    return a;
  }
  static Floats sub(Floats a, Floats b) {
    for (int i = 0; i < 4; ++i) a.part[i] = vsubq_f32(a.part[i], b.part[i]);
    return a;
  }
  static Floats mul(Floats a, Floats b) {
    for (int i = 0; i < 4; ++i) a.part[i] = vmulq_f32(a.part[i], b.part[i]);
    return a;
  }
  static Floats div(Floats a, Floats b) {
    for (int i = 0; i < 4; ++i) a.part[i] = vdivq_f32(a.part[i], b.part[i]);
    return a;
  }
  static Floats fma(Floats a, Floats b, Floats c) {
    for (int i = 0; i < 4; ++i) c.part[i] = vfmaq_f32(c.part[i], a.part[i], b.part[i]);
    return c;
  }
  static Floats min(Floats a, Floats b) {  // of a NaN and a number: NaN
    for (int i = 0; i < 4; ++i) a.part[i] = vminq_f32(a.part[i], b.part[i]);
    return a;
  }
  static Floats max(Floats a, Floats b) {
    for (int i = 0; i < 4; ++i) a.part[i] = vmaxq_f32(a.part[i], b.part[i]);
    return a;
  }
  static Floats negative(Floats a) {
    for (int i = 0; i < 4; ++i) a.part[i] = vnegq_f32(a.part[i]);
    return a;
  }
  static Floats round(Floats a) {
    for (int i = 0; i < 4; ++i) a.part[i] = vrndnq_f32(a.part[i]);
    return a;
  }
  static Floats times_power_of_two(Floats a, Floats n) {  // the exponent is bits 23 and up
    for (int i = 0; i < 4; ++i) {
      a.part[i] = vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(a.part[i]), vshlq_n_s32(vcvtnq_s32_f32(n.part[i]), 23)));
    }
    return a;
  }
  static Floats where_less(Floats a, Floats b, Floats then, Floats otherwise) {
    for (int i = 0; i < 4; ++i) otherwise.part[i] = vbslq_f32(vcltq_f32(a.part[i], b.part[i]), then.part[i], otherwise.part[i]);
    return otherwise;
  }
  static float sum(Floats a) {  // lanes i and i+8, then i+4, i+2, i+1: the order of every instruction set here
    const float32x4_t four = vaddq_f32(vaddq_f32(a.part[0], a.part[2]), vaddq_f32(a.part[1], a.part[3]));
    const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
    return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
  }
  static float largest(Floats a) { return vmaxvq_f32(vmaxq_f32(vmaxq_f32(a.part[0], a.part[1]), vmaxq_f32(a.part[2], a.part[3]))); }
  static float largest_magnitude(Floats a, Floats b) {  // as integers the magnitudes order alike, and NaN is the largest
    uint32x4_t largest = vdupq_n_u32(0);
    for (int i = 0; i < 4; ++i) {
      largest = vmaxq_u32(largest, vreinterpretq_u32_f32(vabsq_f32(a.part[i])));
      largest = vmaxq_u32(largest, vreinterpretq_u32_f32(vabsq_f32(b.part[i])));
    }
    const std::uint32_t bits = vmaxvq_u32(largest);
    float result;
    __builtin_memcpy(&result, &bits, 4);
    return result;
  }

  static Integers integers(std::int32_t x) { return {{vdupq_n_s32(x), vdupq_n_s32(x), vdupq_n_s32(x), vdupq_n_s32(x)}}; }
  static Floats to_floats(Integers a) {
    return {{vcvtq_f32_s32(a.part[0]), vcvtq_f32_s32(a.part[1]), vcvtq_f32_s32(a.part[2]), vcvtq_f32_s32(a.part[3])}};
  }
  static Integers to_integers(Floats a) {
    return {{vcvtnq_s32_f32(a.part[0]), vcvtnq_s32_f32(a.part[1]), vcvtnq_s32_f32(a.part[2]), vcvtnq_s32_f32(a.part[3])}};
  }
  static std::int32_t sum(Integers a) { return vaddvq_s32(vaddq_s32(vaddq_s32(a.part[0], a.part[1]), vaddq_s32(a.part[2], a.part[3]))); }
  static void store_int8(std::int8_t* p, Integers a) {
    const int16x8_t low = vcombine_s16(vqmovn_s32(a.part[0]), vqmovn_s32(a.part[1]));
    const int16x8_t high = vcombine_s16(vqmovn_s32(a.part[2]), vqmovn_s32(a.part[3]));
    vst1q_s8(p, vcombine_s8(vqmovn_s16(low), vqmovn_s16(high)));
  }
  static Floats small_integers(const std::byte* p, int shift, int mask) {
    return widened(vandq_u8(shifted(p, shift), vdupq_n_u8(static_cast<std::uint8_t>(mask))));
  }
  static Floats small_integers_6(const std::byte* low, int shift, const std::byte* high) {
    return widened(vorrq_u8(vandq_u8(shifted(low, shift), vdupq_n_u8(15)), vshlq_n_u8(shifted(high, 6), 4)));
  }

  static Bytes load_bytes(const std::byte* p) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(p);
    return {{vld1q_u8(bytes), vld1q_u8(bytes + 16), vld1q_u8(bytes + 32), vld1q_u8(bytes + 48)}};
  }
  static Bytes bytes(int x) {
    const uint8x16_t all = vdupq_n_u8(static_cast<std::uint8_t>(x));
    return {{all, all, all, all}};
  }
  static Bytes four_bytes(const std::int8_t* p) {
    std::uint32_t four;
    __builtin_memcpy(&four, p, 4);
    const uint8x16_t all = vreinterpretq_u8_u32(vdupq_n_u32(four));
    return {{all, all, all, all}};
  }
  static Bytes nibbles(Bytes a, int shift) { return bits_and(move_bits(a, -shift), bytes(15)); }
  static Bytes move_bits(Bytes a, int up) {  // negative: down
    for (int i = 0; i < 4; ++i) a.part[i] = vshlq_u8(a.part[i], vdupq_n_s8(static_cast<std::int8_t>(up)));
    return a;
  }
  static Bytes bits_and(Bytes a, Bytes b) {
    for (int i = 0; i < 4; ++i) a.part[i] = vandq_u8(a.part[i], b.part[i]);
    return a;
  }
  static Bytes bits_or(Bytes a, Bytes b) {
    for (int i = 0; i < 4; ++i) a.part[i] = vorrq_u8(a.part[i], b.part[i]);
    return a;
  }

  // sdot takes signed bytes on both sides: quants below 128 are the same either way.
  static Integers dot(Integers sums, Bytes w, Bytes x) {
    for (int i = 0; i < 4; ++i) sums.part[i] = vdotq_s32(sums.part[i], vreinterpretq_s8_u8(w.part[i]), vreinterpretq_s8_u8(x.part[i]));
    return sums;
  }
  static Integers dot8(Integers sums, Bytes w, Bytes x) { return dot(sums, w, x); }
  static Integers start8(std::int32_t) { return integers(0); }

 private:
  static uint8x16_t shifted(const std::byte* p, int shift) {
    return vshlq_u8(vld1q_u8(reinterpret_cast<const std::uint8_t*>(p)), vdupq_n_s8(static_cast<std::int8_t>(-shift)));
  }
  static Floats widened(uint8x16_t all) {
    const uint16x8_t low = vmovl_u8(vget_low_u8(all)), high = vmovl_u8(vget_high_u8(all));
    return {{vcvtq_f32_u32(vmovl_u16(vget_low_u16(low))), vcvtq_f32_u32(vmovl_u16(vget_high_u16(low))),
             vcvtq_f32_u32(vmovl_u16(vget_low_u16(high))), vcvtq_f32_u32(vmovl_u16(vget_high_u16(high)))}};
  }
};

// Sixteen lanes with NEON: four registers of four. Included by each set of NEON, inside its target region and anonymous
// namespace. Milestone M6.
#pragma once

#include "kernels/lanes/dots.h"
#include "kernels/lanes/first_lanes.h"

template <class T>
struct Four {
  T part[4];
};

// Whatever is done to one register of four is done to each of the four: f(0), f(1), f(2), f(3).
template <class F>
inline auto each(F f) -> Four<decltype(f(0))> {
  return {{f(0), f(1), f(2), f(3)}};
}

struct Lanes : FirstLanes<Lanes> {
  using Floats = Four<float32x4_t>;
  using Integers = Four<int32x4_t>;
  using Bytes = Four<uint8x16_t>;

  // A token's sums against a panel are four integer and four float registers: two tokens take sixteen of the
  // thirty-two.
  static constexpr int kTilePanels = 1, kTileTokens = 2;
  static constexpr bool kFewRegisters = false;
  static constexpr int kPlainTokens = 6;  // 24 registers of float sums, four of weights, a broadcast
  static constexpr int kTileQueries = 3, kTileColumns = 2, kFewQueriesColumns = 2;

  static Floats broadcast(float x) {
    return each([&](int) { return vdupq_n_f32(x); });
  }
  static Floats load(const float* p) {
    return each([&](int i) { return vld1q_f32(p + 4 * i); });
  }
  static void store(float* p, Floats x) {
    for (int i = 0; i < 4; ++i) vst1q_f32(p + 4 * i, x.part[i]);
  }
  static Floats load_f16(const std::byte* p) {
    return each([&](int i) { return vcvt_f32_f16(vreinterpret_f16_u8(eight_bytes(p, i))); });
  }
  static Floats load_bf16(const std::byte* p) {
    return each([&](int i) { return vreinterpretq_f32_u32(vshll_n_u16(vreinterpret_u16_u8(eight_bytes(p, i)), 16)); });
  }
  // Of lanes that hold two bf16 each: the first, the second.
  static Floats first_bf16(Bytes a) {
    return each([&](int i) { return vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_u8(a.part[i]), 16)); });
  }
  static Floats second_bf16(Bytes a) {
    return each([&](int i) {
      return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_u8(a.part[i]), vdupq_n_u32(0xffff0000u)));
    });
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
    return each([&](int i) { return vaddq_f32(a.part[i], b.part[i]); });
  }
  static Floats sub(Floats a, Floats b) {
    return each([&](int i) { return vsubq_f32(a.part[i], b.part[i]); });
  }
  static Floats mul(Floats a, Floats b) {
    return each([&](int i) { return vmulq_f32(a.part[i], b.part[i]); });
  }
  static Floats div(Floats a, Floats b) {
    return each([&](int i) { return vdivq_f32(a.part[i], b.part[i]); });
  }
  static Floats fma(Floats a, Floats b, Floats c) {
    return each([&](int i) { return vfmaq_f32(c.part[i], a.part[i], b.part[i]); });
  }
  static Floats min(Floats a, Floats b) {  // of a NaN and a number: NaN
    return each([&](int i) { return vminq_f32(a.part[i], b.part[i]); });
  }
  static Floats max(Floats a, Floats b) {
    return each([&](int i) { return vmaxq_f32(a.part[i], b.part[i]); });
  }
  static Floats negative(Floats a) {
    return each([&](int i) { return vnegq_f32(a.part[i]); });
  }
  static Floats round(Floats a) {
    return each([&](int i) { return vrndnq_f32(a.part[i]); });
  }
  static Floats times_power_of_two(Floats a, Floats n) {  // the exponent is bits 23 and up
    return each([&](int i) {
      return vreinterpretq_f32_s32(
          vaddq_s32(vreinterpretq_s32_f32(a.part[i]), vshlq_n_s32(vcvtnq_s32_f32(n.part[i]), 23)));
    });
  }
  static Floats where_less(Floats a, Floats b, Floats then, Floats otherwise) {
    return each([&](int i) { return vbslq_f32(vcltq_f32(a.part[i], b.part[i]), then.part[i], otherwise.part[i]); });
  }
  static float sum(Floats a) {  // lanes i and i+8, then i+4, i+2, i+1: the order of every instruction set here
    const float32x4_t four = vaddq_f32(vaddq_f32(a.part[0], a.part[2]), vaddq_f32(a.part[1], a.part[3]));
    const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
    return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
  }
  static float largest(Floats a) {
    return vmaxvq_f32(vmaxq_f32(vmaxq_f32(a.part[0], a.part[1]), vmaxq_f32(a.part[2], a.part[3])));
  }
  // as integers the magnitudes order alike, and NaN is the largest
  static float largest_magnitude(Floats a, Floats b) {
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

  static Integers integers(std::int32_t x) {
    return each([&](int) { return vdupq_n_s32(x); });
  }
  static Floats to_floats(Integers a) {
    return each([&](int i) { return vcvtq_f32_s32(a.part[i]); });
  }
  static Integers to_integers(Floats a) {
    return each([&](int i) { return vcvtnq_s32_f32(a.part[i]); });
  }
  static std::int32_t sum(Integers a) {
    return vaddvq_s32(vaddq_s32(vaddq_s32(a.part[0], a.part[1]), vaddq_s32(a.part[2], a.part[3])));
  }
  static void store_int8(std::int8_t* p, Integers a) {
    const int16x8_t low = vcombine_s16(vqmovn_s32(a.part[0]), vqmovn_s32(a.part[1]));
    const int16x8_t high = vcombine_s16(vqmovn_s32(a.part[2]), vqmovn_s32(a.part[3]));
    vst1q_s8(p, vcombine_s8(vqmovn_s16(low), vqmovn_s16(high)));
  }
  static Floats small_integers(const std::byte* p, int shift, int mask) {
    return widened(vandq_u8(shifted(p, shift), vdupq_n_u8(static_cast<std::uint8_t>(mask))));
  }

  static Bytes load_bytes(const std::byte* p) {
    return each([&](int i) { return vld1q_u8(reinterpret_cast<const std::uint8_t*>(p) + 16 * i); });
  }
  static void store_bytes(std::int8_t* p, Bytes a) {
    for (int i = 0; i < 4; ++i) vst1q_s8(p + 16 * i, vreinterpretq_s8_u8(a.part[i]));
  }
  static Bytes bytes(int x) {
    return each([&](int) { return vdupq_n_u8(static_cast<std::uint8_t>(x)); });
  }
  static Bytes four_bytes(const std::int8_t* p) {
    std::uint32_t four;
    __builtin_memcpy(&four, p, 4);
    return each([&](int) { return vreinterpretq_u8_u32(vdupq_n_u32(four)); });
  }
  static Bytes nibbles(Bytes a, int shift) { return bits_and(move_bits(a, -shift), bytes(15)); }
  static Bytes move_bits(Bytes a, int up) {  // negative: down
    return each([&](int i) { return vshlq_u8(a.part[i], vdupq_n_s8(static_cast<std::int8_t>(up))); });
  }
  // A table of sixteen bytes, and what stands there at places 0 to 15.
  static Bytes sixteen_bytes(const std::int8_t* p) {
    return each([&](int) { return vreinterpretq_u8_s8(vld1q_s8(p)); });
  }
  static Bytes look_up(Bytes table, Bytes codes) {
    return each([&](int i) { return vqtbl1q_u8(table.part[i], codes.part[i]); });
  }
  // an asm statement without instructions: the compiler no longer knows what the registers hold
  static Bytes held(Bytes a) {
    for (uint8x16_t& part : a.part) asm("" : "+w"(part));
    return a;
  }
  static Bytes bits_and(Bytes a, Bytes b) {
    return each([&](int i) { return vandq_u8(a.part[i], b.part[i]); });
  }
  static Bytes bytes_add(Bytes a, Bytes b) {
    return each([&](int i) { return vaddq_u8(a.part[i], b.part[i]); });
  }
  static Bytes bits_or(Bytes a, Bytes b) {
    return each([&](int i) { return vorrq_u8(a.part[i], b.part[i]); });
  }

  template <bool kSigned>
  using Dot = DotOfFour<Lanes, kSigned>;
  // sdot takes signed bytes on both sides: quants below 128 are the same either way.
  static Integers dot(Integers sums, Bytes w, Bytes x) {
    return each(
        [&](int i) { return vdotq_s32(sums.part[i], vreinterpretq_s8_u8(w.part[i]), vreinterpretq_s8_u8(x.part[i])); });
  }
  static Integers dot8(Integers sums, Bytes w, Bytes x) { return dot(sums, w, x); }
  static Bytes ready8(Bytes w) { return w; }
  static Integers dot_ready8(Integers sums, Bytes w, Bytes x) { return dot(sums, w, x); }
  static Integers start8(std::int32_t) { return integers(0); }

 private:
  static uint8x8_t eight_bytes(const std::byte* p, int i) {
    return vld1_u8(reinterpret_cast<const std::uint8_t*>(p) + 8 * i);
  }
  static uint8x16_t shifted(const std::byte* p, int shift) {
    return vshlq_u8(vld1q_u8(reinterpret_cast<const std::uint8_t*>(p)), vdupq_n_s8(static_cast<std::int8_t>(-shift)));
  }
  static Floats widened(uint8x16_t all) {
    const uint16x8_t low = vmovl_u8(vget_low_u8(all)), high = vmovl_u8(vget_high_u8(all));
    return {{vcvtq_f32_u32(vmovl_u16(vget_low_u16(low))), vcvtq_f32_u32(vmovl_u16(vget_high_u16(low))),
             vcvtq_f32_u32(vmovl_u16(vget_low_u16(high))), vcvtq_f32_u32(vmovl_u16(vget_high_u16(high)))}};
  }
};

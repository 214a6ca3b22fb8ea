// Sixteen lanes with WebAssembly's SIMD: four registers of four. Included by simd128.cpp, inside its target region and
// anonymous namespace. Milestone M6.
//
// What a browser makes of these instructions is one instruction of the machine, or two: SSE4.1 on x86-64, NEON on ARM.
// There is no fused multiply-add among them (relaxed SIMD has one, whose bits depend on the machine): fma rounds twice.
#pragma once

#include "kernels/lanes/dots.h"
#include "kernels/lanes/first_lanes.h"

struct Four {
  v128_t part[4];
};

// Whatever is done to one register of four is done to each of the four: f(0), f(1), f(2), f(3).
template <class F>
inline Four each(F f) {
  return Four{{f(0), f(1), f(2), f(3)}};
}

struct Lanes : FirstLanes<Lanes> {
  // Floats, Integers and Bytes are the same registers, and yet not the same thing.
  struct Floats : Four {};
  struct Integers : Four {};
  struct Bytes : Four {};

  static constexpr int kTilePanels = 1, kTileTokens = 1, kPlainTokens = 2;
  static constexpr bool kFewRegisters = true;  // sixteen on x86-64
  static constexpr int kTileQueries = 2, kTileColumns = 1, kFewQueriesColumns = 2;

  static Floats broadcast(float x) { return floats(wasm_f32x4_splat(x)); }
  static Floats load(const float* p) {
    return {each([&](int i) { return wasm_v128_load(p + 4 * i); })};
  }
  static void store(float* p, Floats x) {
    for (int i = 0; i < 4; ++i) wasm_v128_store(p + 4 * i, x.part[i]);
  }
  static Floats load_f16(const std::byte* p) {
    return {each([&](int i) { return f32_of_f16(wasm_u32x4_load16x4(p + 8 * i)); })};
  }
  static Floats load_bf16(const std::byte* p) {
    return {each([&](int i) { return wasm_i32x4_shl(wasm_u32x4_load16x4(p + 8 * i), 16); })};
  }
  // Of lanes that hold two bf16 each: the first, the second.
  static Floats first_bf16(Bytes a) {
    return {each([&](int i) { return wasm_i32x4_shl(a.part[i], 16); })};
  }
  static Floats second_bf16(Bytes a) {
    return {each([&](int i) { return wasm_v128_and(a.part[i], wasm_i32x4_splat(INT32_MIN >> 15)); })};
  }
  static Floats load_int8(const std::byte* p) {
    return {each([&](int i) { return wasm_f32x4_convert_i32x4(wasm_i32x4_extend_low_i16x8(eight_signed(p, i))); })};
  }
  static void store_f16(std::uint16_t* p, Floats x) {
    for (int i = 0; i < 4; i += 2) {
      wasm_v128_store(p + 4 * i, wasm_u16x8_narrow_i32x4(f16_of_f32(x.part[i]), f16_of_f32(x.part[i + 1])));
    }
  }

  static Floats add(Floats a, Floats b) {
    return {each([&](int i) { return wasm_f32x4_add(a.part[i], b.part[i]); })};
  }
  static Floats sub(Floats a, Floats b) {
    return {each([&](int i) { return wasm_f32x4_sub(a.part[i], b.part[i]); })};
  }
  static Floats mul(Floats a, Floats b) {
    return {each([&](int i) { return wasm_f32x4_mul(a.part[i], b.part[i]); })};
  }
  static Floats div(Floats a, Floats b) {
    return {each([&](int i) { return wasm_f32x4_div(a.part[i], b.part[i]); })};
  }
  static Floats fma(Floats a, Floats b, Floats c) { return add(mul(a, b), c); }
  // Of a NaN and a number, min and max give b.
  static Floats min(Floats a, Floats b) {
    return {each([&](int i) { return wasm_f32x4_pmin(b.part[i], a.part[i]); })};
  }
  static Floats max(Floats a, Floats b) {
    return {each([&](int i) { return wasm_f32x4_pmax(b.part[i], a.part[i]); })};
  }
  static Floats negative(Floats a) {
    return {each([&](int i) { return wasm_f32x4_neg(a.part[i]); })};
  }
  static Floats round(Floats a) {
    return {each([&](int i) { return wasm_f32x4_nearest(a.part[i]); })};
  }
  static Floats times_power_of_two(Floats a, Floats n) {  // the exponent is bits 23 and up
    return {each(
        [&](int i) { return wasm_i32x4_add(a.part[i], wasm_i32x4_shl(wasm_i32x4_trunc_sat_f32x4(n.part[i]), 23)); })};
  }
  static Floats where_less(Floats a, Floats b, Floats then, Floats otherwise) {
    return {each([&](int i) {
      return wasm_v128_bitselect(then.part[i], otherwise.part[i], wasm_f32x4_lt(a.part[i], b.part[i]));
    })};
  }
  static float sum(Floats a) {  // lanes i and i+8, then i+4, i+2, i+1: the order of every instruction set here
    v128_t four = wasm_f32x4_add(wasm_f32x4_add(a.part[0], a.part[2]), wasm_f32x4_add(a.part[1], a.part[3]));
    four = wasm_f32x4_add(four, wasm_i32x4_shuffle(four, four, 2, 3, 0, 1));
    return wasm_f32x4_extract_lane(four, 0) + wasm_f32x4_extract_lane(four, 1);
  }
  static float largest(Floats a) {
    v128_t four = wasm_f32x4_pmax(wasm_f32x4_pmax(a.part[0], a.part[2]), wasm_f32x4_pmax(a.part[1], a.part[3]));
    four = wasm_f32x4_pmax(four, wasm_i32x4_shuffle(four, four, 2, 3, 0, 1));
    return wasm_f32x4_extract_lane(wasm_f32x4_pmax(four, wasm_i32x4_shuffle(four, four, 1, 0, 3, 2)), 0);
  }
  // as integers the magnitudes order alike, and NaN is the largest
  static float largest_magnitude(Floats a, Floats b) {
    v128_t four = wasm_i32x4_splat(0);
    for (int i = 0; i < 4; ++i) {
      four = wasm_u32x4_max(four, wasm_u32x4_max(wasm_f32x4_abs(a.part[i]), wasm_f32x4_abs(b.part[i])));
    }
    four = wasm_u32x4_max(four, wasm_i32x4_shuffle(four, four, 2, 3, 0, 1));
    return wasm_f32x4_extract_lane(wasm_u32x4_max(four, wasm_i32x4_shuffle(four, four, 1, 0, 3, 2)), 0);
  }

  static Integers integers(std::int32_t x) {
    return {each([&](int) { return wasm_i32x4_splat(x); })};
  }
  static Floats to_floats(Integers a) {
    return {each([&](int i) { return wasm_f32x4_convert_i32x4(a.part[i]); })};
  }
  static Integers to_integers(Floats a) {
    return {each([&](int i) { return wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(a.part[i])); })};
  }
  static std::int32_t sum(Integers a) {
    v128_t four = wasm_i32x4_add(wasm_i32x4_add(a.part[0], a.part[2]), wasm_i32x4_add(a.part[1], a.part[3]));
    four = wasm_i32x4_add(four, wasm_i32x4_shuffle(four, four, 2, 3, 0, 1));
    return wasm_i32x4_extract_lane(four, 0) + wasm_i32x4_extract_lane(four, 1);
  }
  static void store_int8(std::int8_t* p, Integers a) {
    wasm_v128_store(p, wasm_i8x16_narrow_i16x8(wasm_i16x8_narrow_i32x4(a.part[0], a.part[1]),
                                               wasm_i16x8_narrow_i32x4(a.part[2], a.part[3])));
  }
  static Floats small_integers(const std::byte* p, int shift, int mask) {
    const v128_t all = wasm_v128_and(wasm_u8x16_shr(wasm_v128_load(p), static_cast<std::uint32_t>(shift)),
                                     wasm_i8x16_splat(static_cast<std::int8_t>(mask)));
    const v128_t low = wasm_u16x8_extend_low_u8x16(all), high = wasm_u16x8_extend_high_u8x16(all);
    return to_floats({{wasm_u32x4_extend_low_u16x8(low), wasm_u32x4_extend_high_u16x8(low),
                       wasm_u32x4_extend_low_u16x8(high), wasm_u32x4_extend_high_u16x8(high)}});
  }

  static Bytes load_bytes(const std::byte* p) {
    return {each([&](int i) { return wasm_v128_load(p + 16 * i); })};
  }
  static void store_bytes(std::int8_t* p, Bytes a) {
    for (int i = 0; i < 4; ++i) wasm_v128_store(p + 16 * i, a.part[i]);
  }
  static Bytes bytes(int x) {
    return {each([&](int) { return wasm_i8x16_splat(static_cast<std::int8_t>(x)); })};
  }
  static Bytes four_bytes(const std::int8_t* p) {
    const v128_t four = wasm_v128_load32_splat(p);
    return {each([&](int) { return four; })};
  }
  // Pairs of bytes are shifted: one instruction, where shifting bytes takes three. The neighbour's bits are masked out.
  static Bytes nibbles(Bytes a, int shift) {
    return {each([&](int i) {
      return wasm_v128_and(wasm_u16x8_shr(a.part[i], static_cast<std::uint32_t>(shift)), wasm_i8x16_splat(15));
    })};
  }
  static Bytes move_bits(Bytes a, int up) {  // negative: down; what comes from the neighbour is the caller's to mask
    return {each([&](int i) {
      return up >= 0 ? wasm_i16x8_shl(a.part[i], static_cast<std::uint32_t>(up))
                     : wasm_u16x8_shr(a.part[i], static_cast<std::uint32_t>(-up));
    })};
  }
  // A table of sixteen bytes, and what stands there at places 0 to 15.
  static Bytes sixteen_bytes(const std::int8_t* p) {
    const v128_t table = wasm_v128_load(p);
    return {each([&](int) { return table; })};
  }
  static Bytes look_up(Bytes table, Bytes codes) {
    return {each([&](int i) { return wasm_i8x16_swizzle(table.part[i], codes.part[i]); })};
  }
  // an asm statement without instructions: the compiler no longer knows what the registers hold
  static Bytes held(Bytes a) {
    for (v128_t& part : a.part) asm("" : "+r"(part));
    return a;
  }
  static Bytes bits_and(Bytes a, Bytes b) {
    return {each([&](int i) { return wasm_v128_and(a.part[i], b.part[i]); })};
  }
  static Bytes bytes_add(Bytes a, Bytes b) {
    return {each([&](int i) { return wasm_i8x16_add(a.part[i], b.part[i]); })};
  }
  static Bytes bits_or(Bytes a, Bytes b) {
    return {each([&](int i) { return wasm_v128_or(a.part[i], b.part[i]); })};
  }

  template <bool kSigned>
  using Dot = DotOfFour<Lanes, kSigned>;
  // One instruction multiplies pairs of 16 bits and adds the two products: so columns 0 and 2 of a lane go with each
  // other, and columns 1 and 3.
  static Integers dot(Integers sums, Bytes w, Bytes x) {
    return {each([&](int i) {
      const v128_t even = wasm_v128_and(w.part[i], wasm_i16x8_splat(255)), odd = wasm_u16x8_shr(w.part[i], 8);
      return dot_of_pairs(sums.part[i], even, odd, x.part[i]);
    })};
  }
  static Integers dot8(Integers sums, Bytes w, Bytes x) {
    return {each([&](int i) {
      return dot_of_pairs(sums.part[i], signed_even(w.part[i]), wasm_i16x8_shr(w.part[i], 8), x.part[i]);
    })};
  }
  static Integers start8(std::int32_t) { return integers(0); }

 private:
  static Floats floats(v128_t x) { return {{{x, x, x, x}}}; }
  static v128_t eight_signed(const std::byte* p, int i) { return wasm_i16x8_load8x8(p + 4 * i); }
  static v128_t signed_even(v128_t a) { return wasm_i16x8_shr(wasm_i16x8_shl(a, 8), 8); }
  static v128_t dot_of_pairs(v128_t sums, v128_t even, v128_t odd, v128_t x) {
    sums = wasm_i32x4_add(sums, wasm_i32x4_dot_i16x8(even, signed_even(x)));
    return wasm_i32x4_add(sums, wasm_i32x4_dot_i16x8(odd, wasm_i16x8_shr(x, 8)));
  }

  // base/half.h, four at a time. Exponent and fraction where an f32 has them are a float that is too small by 2^112,
  // also where the f16 is subnormal; infinity and NaN have the largest exponent.
  static v128_t f32_of_f16(v128_t bits) {
    const v128_t magnitude = wasm_i32x4_shl(wasm_v128_and(bits, wasm_i32x4_splat(0x7fff)), 13);
    const v128_t sign = wasm_i32x4_shl(wasm_v128_and(bits, wasm_i32x4_splat(0x8000)), 16);
    const v128_t special = wasm_v128_and(wasm_i32x4_ge(magnitude, wasm_i32x4_splat(0x0f800000)),  //
                                         wasm_i32x4_splat(0x7f800000));
    const v128_t value = wasm_f32x4_mul(magnitude, wasm_f32x4_splat(0x1p112f));
    return wasm_v128_or(wasm_v128_or(value, special), sign);
  }
  static v128_t f16_of_f32(v128_t x) {
    const v128_t magnitude = wasm_v128_and(x, wasm_i32x4_splat(0x7fffffff));
    const v128_t odd = wasm_v128_and(wasm_u32x4_shr(magnitude, 13), wasm_i32x4_splat(1));
    v128_t half = wasm_i32x4_add(magnitude, wasm_i32x4_splat(0xfff - 0x38000000));
    half = wasm_u32x4_shr(wasm_i32x4_add(half, odd), 13);
    const v128_t small = wasm_i32x4_sub(wasm_f32x4_add(magnitude, wasm_f32x4_splat(0.5f)),  //
                                        wasm_i32x4_splat(0x3f000000));
    half = wasm_v128_bitselect(small, half, wasm_i32x4_lt(magnitude, wasm_i32x4_splat(0x38800000)));
    half = wasm_v128_bitselect(wasm_i32x4_splat(0x7c00), half, wasm_i32x4_ge(magnitude, wasm_i32x4_splat(0x47800000)));
    half = wasm_v128_bitselect(wasm_i32x4_splat(0x7e00), half, wasm_i32x4_gt(magnitude, wasm_i32x4_splat(0x7f800000)));
    return wasm_v128_or(half, wasm_v128_and(wasm_u32x4_shr(x, 16), wasm_i32x4_splat(0x8000)));
  }
};

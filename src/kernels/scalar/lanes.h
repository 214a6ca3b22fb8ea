// Sixteen lanes in plain C++: sixteen floats. What each operation of an instruction set's lanes means.  Milestone M6.
#pragma once

#include "kernels/lanes/dots.h"

struct Lanes {
  struct Floats {
    float lane[16];
  };
  struct Integers {
    std::int32_t lane[16];
  };
  struct Bytes {
    std::uint8_t byte[64];
  };  // four a lane

  static constexpr int kTilePanels = 1, kTileTokens = 2, kPlainTokens = 2;
  static constexpr bool kFewRegisters = true;  // sixteen floats take four or more of a plain machine's sixteen
  static constexpr int kTileQueries = 1, kTileColumns = 4, kFewQueriesColumns = 4;

  static Floats broadcast(float x) {
    Floats r;
    for (float& lane : r.lane) lane = x;
    return r;
  }
  static Floats load(const float* p) { return load_first(p, 16); }
  static void store(float* p, const Floats& x) { store_first(p, x, 16); }
  static Floats load_first(const float* p, std::size_t n) {
    Floats r{};
    std::memcpy(r.lane, p, n * sizeof(float));
    return r;
  }
  static void store_first(float* p, const Floats& x, std::size_t n) { std::memcpy(p, x.lane, n * sizeof(float)); }
  static Floats load_f16(const std::byte* p) {
    Floats r;
    for (std::size_t i = 0; i < 16; ++i) r.lane[i] = to_f32(f16{at<std::uint16_t>(p, i)});
    return r;
  }
  static Floats load_bf16(const std::byte* p) {
    Floats r;
    for (std::size_t i = 0; i < 16; ++i) r.lane[i] = to_f32(bf16{at<std::uint16_t>(p, i)});
    return r;
  }
  // Of lanes that hold two bf16 each: the first, the second.
  static Floats first_bf16(const Bytes& a) { return every_second_bf16(a, 0); }
  static Floats second_bf16(const Bytes& a) { return every_second_bf16(a, 1); }
  static Floats load_int8(const std::byte* p) {
    Floats r;
    for (std::size_t i = 0; i < 16; ++i) r.lane[i] = static_cast<float>(at<std::int8_t>(p, i));
    return r;
  }
  static void store_f16(std::uint16_t* p, const Floats& x) {
    for (std::size_t i = 0; i < 16; ++i) p[i] = to_f16(x.lane[i]).bits;
  }

  static Floats add(Floats a, const Floats& b) {
    for (std::size_t i = 0; i < 16; ++i) a.lane[i] += b.lane[i];
    return a;
  }
  static Floats sub(Floats a, const Floats& b) {
    for (std::size_t i = 0; i < 16; ++i) a.lane[i] -= b.lane[i];
    return a;
  }
  static Floats mul(Floats a, const Floats& b) {
    for (std::size_t i = 0; i < 16; ++i) a.lane[i] *= b.lane[i];
    return a;
  }
  static Floats div(Floats a, const Floats& b) {
    for (std::size_t i = 0; i < 16; ++i) a.lane[i] /= b.lane[i];
    return a;
  }
  static Floats fma(const Floats& a, const Floats& b, Floats c) {
#ifdef __wasm__  // has no such instruction, and a library's is slow: two roundings, as in the other set of WebAssembly
    return add(mul(a, b), c);
#else
    for (std::size_t i = 0; i < 16; ++i) c.lane[i] = std::fma(a.lane[i], b.lane[i], c.lane[i]);
    return c;
#endif
  }
  static Floats min(const Floats& a, Floats b) {  // of a NaN and a number: b, as x86 does it
    for (std::size_t i = 0; i < 16; ++i) b.lane[i] = a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i];
    return b;
  }
  static Floats max(const Floats& a, Floats b) {
    for (std::size_t i = 0; i < 16; ++i) b.lane[i] = a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i];
    return b;
  }
  static Floats negative(Floats a) {
    for (float& lane : a.lane) lane = -lane;
    return a;
  }
  static Floats round(Floats a) {
    for (float& lane : a.lane) lane = std::nearbyint(lane);
    return a;
  }
  static Floats times_power_of_two(Floats a, const Floats& n) {
    for (std::size_t i = 0; i < 16; ++i) {
      const float exponent = std::clamp(n.lane[i], -300.0f, 300.0f);  // an int holds it, whatever n is
      a.lane[i] = std::isnan(exponent) ? exponent : std::ldexp(a.lane[i], static_cast<int>(exponent));
    }
    return a;
  }
  static Floats where_less(const Floats& a, const Floats& b, const Floats& then, Floats otherwise) {
    for (std::size_t i = 0; i < 16; ++i) otherwise.lane[i] = a.lane[i] < b.lane[i] ? then.lane[i] : otherwise.lane[i];
    return otherwise;
  }
  static float sum(const Floats& a) { return sum_lanes(a.lane); }
  static float largest(const Floats& a) { return *std::max_element(a.lane, a.lane + 16); }
  static float largest_magnitude(const Floats& a, const Floats& b) {
    float largest = 0;
    for (std::size_t i = 0; i < 16; ++i) {
      for (const float x : {std::fabs(a.lane[i]), std::fabs(b.lane[i])}) {
        if (std::isnan(x)) return x;
        largest = std::max(largest, x);
      }
    }
    return largest;
  }

  static Integers integers(std::int32_t x) {
    Integers r;
    for (std::int32_t& lane : r.lane) lane = x;
    return r;
  }
  static Floats to_floats(const Integers& a) {
    Floats r;
    for (std::size_t i = 0; i < 16; ++i) r.lane[i] = static_cast<float>(a.lane[i]);
    return r;
  }
  static Integers to_integers(const Floats& a) {
    Integers r;
    for (std::size_t i = 0; i < 16; ++i) r.lane[i] = static_cast<std::int32_t>(std::nearbyint(a.lane[i]));
    return r;
  }
  static std::int32_t sum(const Integers& a) {
    std::int32_t s = 0;
    for (const std::int32_t lane : a.lane) s += lane;
    return s;
  }
  static void store_int8(std::int8_t* p, const Integers& a) {
    for (std::size_t i = 0; i < 16; ++i) p[i] = static_cast<std::int8_t>(a.lane[i]);
  }
  static Floats small_integers(const std::byte* p, int shift, int mask) {
    Floats r;
    for (std::size_t i = 0; i < 16; ++i) r.lane[i] = static_cast<float>((at<std::uint8_t>(p, i) >> shift) & mask);
    return r;
  }

  static Bytes load_bytes(const std::byte* p) {
    Bytes r;
    std::memcpy(r.byte, p, 64);
    return r;
  }
  static void store_bytes(std::int8_t* p, Bytes a) { std::memcpy(p, a.byte, 64); }
  static Bytes bytes(int x) {
    Bytes r;
    std::memset(r.byte, x, 64);
    return r;
  }
  static Bytes four_bytes(const std::int8_t* p) {
    Bytes r;
    for (std::size_t i = 0; i < 64; i += 4) std::memcpy(r.byte + i, p, 4);
    return r;
  }
  static Bytes nibbles(Bytes a, int shift) {
    for (std::uint8_t& b : a.byte) b = static_cast<std::uint8_t>((b >> shift) & 15);
    return a;
  }
  static Bytes move_bits(Bytes a, int up) {
    for (std::uint8_t& b : a.byte) b = static_cast<std::uint8_t>(up >= 0 ? b << up : b >> -up);
    return a;
  }
  static Bytes sixteen_bytes(const std::int8_t* p) {
    Bytes r;
    for (std::size_t i = 0; i < 64; i += 16) std::memcpy(r.byte + i, p, 16);
    return r;
  }
  static Bytes look_up(const Bytes& table, Bytes codes) {
    for (std::uint8_t& b : codes.byte) b = table.byte[b & 15];
    return codes;
  }
  static Bytes held(Bytes a) {  // the compiler no longer knows what it holds
    asm("" : "+m"(a));
    return a;
  }
  static Bytes bits_and(Bytes a, const Bytes& b) {
    for (std::size_t i = 0; i < 64; ++i) a.byte[i] &= b.byte[i];
    return a;
  }
  static Bytes bytes_add(Bytes a, const Bytes& b) {
    for (std::size_t i = 0; i < 64; ++i) a.byte[i] = static_cast<std::uint8_t>(a.byte[i] + b.byte[i]);
    return a;
  }
  static Bytes bits_or(Bytes a, const Bytes& b) {
    for (std::size_t i = 0; i < 64; ++i) a.byte[i] |= b.byte[i];
    return a;
  }

  template <bool kSigned>
  using Dot = DotOfFour<Lanes, kSigned>;
  static Integers dot(Integers sums, const Bytes& w, const Bytes& x) {
    for (std::size_t i = 0; i < 64; ++i) sums.lane[i / 4] += w.byte[i] * static_cast<std::int8_t>(x.byte[i]);
    return sums;
  }
  static Integers dot8(Integers sums, const Bytes& w, const Bytes& x) {
    for (std::size_t i = 0; i < 64; ++i) {
      sums.lane[i / 4] += static_cast<std::int8_t>(w.byte[i]) * static_cast<std::int8_t>(x.byte[i]);
    }
    return sums;
  }
  static Integers start8(std::int32_t) { return integers(0); }

 private:
  static Floats every_second_bf16(const Bytes& a, std::size_t first) {
    Floats r;
    for (std::size_t i = 0; i < 16; ++i) {
      std::uint16_t bits;
      std::memcpy(&bits, a.byte + 4 * i + 2 * first, 2);
      r.lane[i] = to_f32(bf16{bits});
    }
    return r;
  }
  template <class T>
  static T at(const std::byte* p, std::size_t i) {
    T value;
    std::memcpy(&value, p + i * sizeof(T), sizeof(T));
    return value;
  }
};

// A block of a panel → quants, scales and mins of 32 columns × 16 rows, a row a lane.  Milestones M5, M6.
//
// V is an instruction set's view of 16 lanes (avx512/lanes.h describes it). V::Bytes are 64 bytes, four columns of each
// of the 16 rows; V::Floats are a float a row. Every format offers, for columns [32s, 32s + 32) of the block at p:
//
//   quants(p, s, g)   columns 4g … 4g+3 of these, as unsigned bytes, or signed ones where kSigned
//   scales(p, s, k)   what the sum of group k's products is multiplied by: of all 32 columns, or of 16 (kGroups)
//   mins(p, s, k)     what is added per unit of the activations, where kHasMins
//   Scales            how a block's scales and mins are read: EachScale, unless it pays to read all of them at once
//   kColumns, kBytes  of a block: of a row, of 16 rows
//   kBits             how many bits a quant has
//   kOffset           log₂ of what an unsigned quant is too large by; 0: nothing
//
// WeightFormat (lanes/concepts.h) asks for each of them, so that a misspelt one does not compile. A new format is a
// struct here and a line in use_products, at the end.
//
// The offsets of the fields are 16 times those in tensor/blocks.h: a panel holds the units of 16 rows side by side. So
// Q4_0's block of 16 rows is
//
//   p + 0        16 scales of two bytes
//   p + 16·2     columns 0–3 (lower halves) and 16–19 (upper) of row 0, of row 1, … of row 15: 64 bytes, a register
//   p + 96       columns 4–7 and 20–23 of all rows, …
//
// Where a panel's layout is not that of the file, panels.cpp has it: Q6_K, MXFP4, Coded.
#pragma once

#include "kernels/lanes/concepts.h"

// The scales and mins of a block, each when it is needed: read(p), then of(s, group) and min(s, group).
template <class Format>
struct EachScale {
  void read(const std::byte* p) { block = p; }
  auto of(int s, int group) const { return Format::scales(block, s, group); }
  auto min(int s, int group) const
    requires Format::kHasMins
  {
    return Format::mins(block, s, group);
  }

  const std::byte* block = nullptr;
};

template <class V>
struct Q4_0 {
  using Scales = EachScale<Q4_0>;
  static constexpr std::size_t kColumns = 32, kBytes = 16 * 18;
  static constexpr int kBits = 4, kOffset = 3, kGroups = 1;
  static constexpr bool kHasMins = false, kSigned = false;
  static typename V::Bytes quants(const std::byte* p, int, int g) {
    return V::nibbles(V::load_bytes(p + 16 * 2 + 64 * (g % 4)), 4 * (g / 4));
  }
  static typename V::Floats scales(const std::byte* p, int, int = 0) { return V::load_f16(p); }
};

template <class V>
struct Q4_1 {
  using Scales = EachScale<Q4_1>;
  static constexpr std::size_t kColumns = 32, kBytes = 16 * 20;
  static constexpr int kBits = 4, kOffset = 0, kGroups = 1;
  static constexpr bool kHasMins = true, kSigned = false;
  static typename V::Bytes quants(const std::byte* p, int, int g) {
    return V::nibbles(V::load_bytes(p + 16 * 4 + 64 * (g % 4)), 4 * (g / 4));
  }
  static typename V::Floats scales(const std::byte* p, int, int = 0) { return V::load_f16(p); }
  static typename V::Floats mins(const std::byte* p, int, int = 0) { return V::load_f16(p + 16 * 2); }
};

// The fifth bits: bit g of a byte, moved to bit 4.
template <class V>
typename V::Bytes with_fifth_bits(typename V::Bytes low, const std::byte* high, int g) {
  return V::bits_or(low, V::bits_and(V::move_bits(V::load_bytes(high), 4 - g), V::bytes(0x10)));
}

template <class V>
struct Q5_0 {
  using Scales = EachScale<Q5_0>;
  static constexpr std::size_t kColumns = 32, kBytes = 16 * 22;
  static constexpr int kBits = 5, kOffset = 4, kGroups = 1;
  static constexpr bool kHasMins = false, kSigned = false;
  static typename V::Bytes quants(const std::byte* p, int, int g) {
    return with_fifth_bits<V>(V::nibbles(V::load_bytes(p + 16 * 6 + 64 * (g % 4)), 4 * (g / 4)), p + 16 * 2, g);
  }
  static typename V::Floats scales(const std::byte* p, int, int = 0) { return V::load_f16(p); }
};

template <class V>
struct Q5_1 {
  using Scales = EachScale<Q5_1>;
  static constexpr std::size_t kColumns = 32, kBytes = 16 * 24;
  static constexpr int kBits = 5, kOffset = 0, kGroups = 1;
  static constexpr bool kHasMins = true, kSigned = false;
  static typename V::Bytes quants(const std::byte* p, int, int g) {
    return with_fifth_bits<V>(V::nibbles(V::load_bytes(p + 16 * 8 + 64 * (g % 4)), 4 * (g / 4)), p + 16 * 4, g);
  }
  static typename V::Floats scales(const std::byte* p, int, int = 0) { return V::load_f16(p); }
  static typename V::Floats mins(const std::byte* p, int, int = 0) { return V::load_f16(p + 16 * 2); }
};

template <class V>
struct Q8_0 {
  using Scales = EachScale<Q8_0>;
  static constexpr std::size_t kColumns = 32, kBytes = 16 * 34;
  static constexpr int kBits = 8, kOffset = 0, kGroups = 1;
  static constexpr bool kHasMins = false, kSigned = true;
  static typename V::Bytes quants(const std::byte* p, int, int g) { return V::load_bytes(p + 16 * 2 + 64 * g); }
  static typename V::Floats scales(const std::byte* p, int, int = 0) { return V::load_f16(p); }
};

// The six-bit scales and mins of a block of Q4_K or Q5_K: of groups 0–3 in bytes 0–3 and 4–7, of groups 4–7 in bytes
// 8–11 and the others' upper two bits. A register holds four groups of all rows: so they are put together once a block,
// not once a group.
template <class V>
class SixBitScales {
 public:
  void read(const std::byte* p) {
    d_ = V::load_f16(p);
    minus_dmin_ = V::negative(V::load_f16(p + 16 * 2));
    const typename V::Bytes scales = V::load_bytes(p + 16 * 4), mins = V::load_bytes(p + 16 * 8),
                            low = V::load_bytes(p + 16 * 12);
    V::store_bytes(scales_, V::bits_and(scales, V::bytes(63)));
    V::store_bytes(mins_, V::bits_and(mins, V::bytes(63)));
    V::store_bytes(scales_ + 4 * 16,
                   V::bits_or(V::nibbles(low, 0), V::bits_and(V::move_bits(scales, -2), V::bytes(0x30))));
    V::store_bytes(mins_ + 4 * 16, V::bits_or(V::nibbles(low, 4), V::bits_and(V::move_bits(mins, -2), V::bytes(0x30))));
  }
  typename V::Floats of(int s, int) const { return V::mul(d_, row(scales_ + 16 * s)); }
  typename V::Floats min(int s, int) const { return V::mul(minus_dmin_, row(mins_ + 16 * s)); }

 private:
  static typename V::Floats row(const std::int8_t* p) { return V::load_int8(reinterpret_cast<const std::byte*>(p)); }

  typename V::Floats d_, minus_dmin_;
  alignas(64) std::int8_t scales_[8 * 16], mins_[8 * 16];  // a group after the other
};

template <class V>
struct Q4_K {
  static constexpr std::size_t kColumns = 256, kBytes = 16 * 144;
  static constexpr int kBits = 4, kOffset = 0, kGroups = 1;
  static constexpr bool kHasMins = true, kSigned = false;
  static typename V::Bytes quants(const std::byte* p, int s, int g) {
    return V::nibbles(V::load_bytes(p + 16 * 16 + 64 * (8 * (s / 2) + g)), 4 * (s % 2));
  }
  using Scales = SixBitScales<V>;
};

template <class V>
struct Q5_K {
  static constexpr std::size_t kColumns = 256, kBytes = 16 * 176;
  static constexpr int kBits = 5, kOffset = 0, kGroups = 1;
  static constexpr bool kHasMins = true, kSigned = false;
  static typename V::Bytes quants(const std::byte* p, int s, int g) {
    const typename V::Bytes low = V::nibbles(V::load_bytes(p + 16 * 48 + 64 * (8 * (s / 2) + g)), 4 * (s % 2));
    return with_fifth_bits<V>(low, p + 16 * 16 + 64 * g, s);
  }
  using Scales = SixBitScales<V>;
};

template <class V>
struct Q6_K {
  using Scales = EachScale<Q6_K>;
  static constexpr std::size_t kColumns = 256, kBytes = 16 * 210;
  static constexpr int kBits = 6, kOffset = 5, kGroups = 2;
  static constexpr bool kHasMins = false, kSigned = false;
  static typename V::Bytes quants(const std::byte* p, int s, int g) {
    const int half = s / 4, quarter = s % 4;
    const std::byte* const of_half = p + 16 * (18 + 96 * half) + 64 * g;
    const typename V::Bytes low = V::nibbles(V::load_bytes(of_half + 16 * 64 * (quarter % 2)), 4 * (quarter / 2));
    const typename V::Bytes high = V::load_bytes(of_half + 16 * 32);
    return V::bits_or(low, V::bits_and(V::move_bits(high, 4 - 2 * quarter), V::bytes(0x30)));
  }
  static typename V::Floats scales(const std::byte* p, int s, int group) {
    return V::mul(V::load_f16(p), V::load_int8(p + 16 * (2 + 2 * s + group)));
  }
};

template <class V>
struct Q2_K {
  using Scales = EachScale<Q2_K>;
  static constexpr std::size_t kColumns = 256, kBytes = 16 * 84;
  static constexpr int kBits = 2, kOffset = 0, kGroups = 2;
  static constexpr bool kHasMins = true, kSigned = false;
  static typename V::Bytes quants(const std::byte* p, int s, int g) {
    const typename V::Bytes four = V::load_bytes(p + 16 * 16 + 64 * (8 * (s / 4) + g));
    return V::bits_and(V::move_bits(four, -2 * (s % 4)), V::bytes(3));
  }
  static typename V::Floats scales(const std::byte* p, int s, int group) {
    return V::mul(V::load_f16(p + 16 * 80), V::small_integers(p + 16 * (2 * s + group), 0, 15));
  }
  static typename V::Floats mins(const std::byte* p, int s, int group) {
    return V::negative(V::mul(V::load_f16(p + 16 * 82), V::small_integers(p + 16 * (2 * s + group), 4, 15)));
  }
};

template <class V>
struct Q3_K {
  using Scales = EachScale<Q3_K>;
  static constexpr std::size_t kColumns = 256, kBytes = 16 * 110;
  static constexpr int kBits = 3, kOffset = 2, kGroups = 2;
  static constexpr bool kHasMins = false, kSigned = false;
  static typename V::Bytes quants(const std::byte* p, int s, int g) {
    const typename V::Bytes four = V::load_bytes(p + 16 * 32 + 64 * (8 * (s / 4) + g));
    const typename V::Bytes low = V::bits_and(V::move_bits(four, -2 * (s % 4)), V::bytes(3));
    return V::bits_or(low, V::bits_and(V::move_bits(V::load_bytes(p + 64 * g), 2 - s), V::bytes(4)));
  }
  // Group k's six bits: the lower four are a nibble of byte k % 8, the upper two lie in byte 8 + k % 4.
  static typename V::Floats scales(const std::byte* p, int s, int group) {
    const int k = 2 * s + group;
    const std::byte* groups = p + 16 * 96;
    const typename V::Floats low = V::small_integers(groups + 16 * (k % 8), 4 * (k / 8), 15);
    const typename V::Floats high = V::small_integers(groups + 16 * (8 + k % 4), 2 * (k / 4), 3);
    const typename V::Floats six = V::fma(high, V::broadcast(16.0f), low);
    return V::mul(V::load_f16(p + 16 * 108), V::sub(six, V::broadcast(32.0f)));
  }
};

// Codes of four bits: their values come from a table of sixteen, by a shuffle of bytes.
template <class V>
struct IQ4_NL {
  using Scales = EachScale<IQ4_NL>;
  static constexpr std::size_t kColumns = 32, kBytes = 16 * 18;
  static constexpr int kBits = 8, kOffset = 0, kGroups = 1;
  static constexpr bool kHasMins = false, kSigned = true;
  static typename V::Bytes quants(const std::byte* p, int, int g) {
    return V::look_up(V::sixteen_bytes(kIq4Values), Q4_0<V>::quants(p, 0, g));
  }
  static typename V::Floats scales(const std::byte* p, int, int = 0) { return V::load_f16(p); }
};

template <class V>
struct MXFP4 {
  using Scales = EachScale<MXFP4>;
  static constexpr std::size_t kColumns = 32, kBytes = 16 * 18;
  static constexpr int kBits = 8, kOffset = 0, kGroups = 1;
  static constexpr bool kHasMins = false, kSigned = true;
  static typename V::Bytes quants(const std::byte* p, int, int g) {
    return V::look_up(V::sixteen_bytes(kMxfp4Values), Q4_0<V>::quants(p, 0, g));
  }
  static typename V::Floats scales(const std::byte* p, int, int = 0) { return V::load_bf16(p); }
};

// The iq formats of 256 values (tensor/coded_blocks.h): the table lies at the end of each block.
template <class V>
struct Coded {
  using Scales = EachScale<Coded>;
  static constexpr std::size_t kColumns = 256, kBytes = 16 * 149;
  static constexpr int kBits = 8, kOffset = 0, kGroups = 2;
  static constexpr bool kHasMins = false, kSigned = true;
  static typename V::Bytes quants(const std::byte* p, int s, int g) {
    const typename V::Bytes codes = V::nibbles(V::load_bytes(p + 16 * 20 + 64 * (8 * (s / 2) + g)), 4 * (s % 2));
    return V::look_up(V::sixteen_bytes(reinterpret_cast<const std::int8_t*>(p + 16 * 148)), codes);
  }
  static typename V::Floats scales(const std::byte* p, int s, int group) {
    return V::mul(V::load(reinterpret_cast<const float*>(p)), V::load_int8(p + 16 * (4 + 2 * s + group)));
  }
};

// The product of every quantised type: of<Format, type>() gives it, of a format's first type for all of its types.
template <LaneSet V, class Of>
void use_products(Kernels& k, Of of) {
  const auto use = [&]<WeightFormat<V> Format, DType kFirst, DType... kOthers>() {
    const Kernels::Product product = of.template operator()<Format, kFirst>();
    for (const DType type : {kFirst, kOthers...}) k.product(type) = product;
  };
  use.template operator()<Q4_0<V>, DType::q4_0>();
  use.template operator()<Q4_1<V>, DType::q4_1>();
  use.template operator()<Q5_0<V>, DType::q5_0>();
  use.template operator()<Q5_1<V>, DType::q5_1>();
  use.template operator()<Q8_0<V>, DType::q8_0>();
  use.template operator()<Q2_K<V>, DType::q2_k, DType::tq1_0, DType::tq2_0>();
  use.template operator()<Q3_K<V>, DType::q3_k>();
  use.template operator()<Q4_K<V>, DType::q4_k>();
  use.template operator()<Q5_K<V>, DType::q5_k>();
  use.template operator()<Q6_K<V>, DType::q6_k>();
  use.template operator()<IQ4_NL<V>, DType::iq4_nl>();
  use.template operator()<MXFP4<V>, DType::mxfp4>();
  use.template operator()<Coded<V>, DType::iq4_xs, DType::iq3_s, DType::iq3_xxs, DType::iq2_s, DType::iq2_xs,
                          DType::iq2_xxs, DType::iq1_s, DType::iq1_m>();
}

// What an instruction set's lanes and a weight format must offer: a misspelt or forgotten member is an error where the
// kernels are made.  Milestone M6.
//
// Included inside an instruction set's target region and namespace.
#pragma once

// Sixteen lanes (scalar/lanes.h says in plain C++ what each operation means).
template <class V>
concept LaneSet = requires(typename V::Floats f, typename V::Integers i, typename V::Bytes b, float* floats,
                           const std::byte* bytes, std::int8_t* int8, std::uint16_t* f16s, std::size_t n) {
  { V::kTilePanels + V::kTileTokens + V::kPlainTokens + V::kTileQueries + V::kTileColumns + V::kFewQueriesColumns };
  requires std::same_as<decltype(V::kFewRegisters), const bool>;
  // floats
  { V::broadcast(1.0f) } -> std::same_as<typename V::Floats>;
  { V::load(floats) } -> std::same_as<typename V::Floats>;
  { V::load_first(floats, n) } -> std::same_as<typename V::Floats>;
  { V::load_f16(bytes) } -> std::same_as<typename V::Floats>;
  { V::load_bf16(bytes) } -> std::same_as<typename V::Floats>;
  { V::load_int8(bytes) } -> std::same_as<typename V::Floats>;
  { V::small_integers(bytes, 4, 15) } -> std::same_as<typename V::Floats>;
  { V::first_bf16(b) } -> std::same_as<typename V::Floats>;
  { V::second_bf16(b) } -> std::same_as<typename V::Floats>;
  { V::fma(f, f, V::add(f, V::sub(f, V::mul(f, V::div(f, f))))) } -> std::same_as<typename V::Floats>;
  { V::where_less(f, f, V::min(f, V::max(f, f)), V::negative(V::round(f))) } -> std::same_as<typename V::Floats>;
  { V::times_power_of_two(f, f) } -> std::same_as<typename V::Floats>;
  { V::sum(f) + V::largest(f) + V::largest_magnitude(f, f) } -> std::same_as<float>;
  V::store(floats, f);
  V::store_first(floats, f, n);
  V::store_f16(f16s, f);
  // integers
  { V::integers(0) } -> std::same_as<typename V::Integers>;
  { V::start8(0) } -> std::same_as<typename V::Integers>;
  { V::to_integers(f) } -> std::same_as<typename V::Integers>;
  { V::to_floats(i) } -> std::same_as<typename V::Floats>;
  { V::sum(i) } -> std::same_as<std::int32_t>;
  V::store_int8(int8, i);
  // bytes
  { V::load_bytes(bytes) } -> std::same_as<typename V::Bytes>;
  { V::four_bytes(int8) } -> std::same_as<typename V::Bytes>;
  { V::sixteen_bytes(int8) } -> std::same_as<typename V::Bytes>;
  { V::look_up(b, V::nibbles(b, 4)) } -> std::same_as<typename V::Bytes>;
  { V::bits_or(V::bits_and(b, V::bytes(1)), V::move_bits(b, 1)) } -> std::same_as<typename V::Bytes>;
  { V::bytes_add(b, b) } -> std::same_as<typename V::Bytes>;
  { V::held(b) } -> std::same_as<typename V::Bytes>;
  V::store_bytes(int8, b);
  // dot products of four bytes a lane, as a chain (lanes/dots.h): of unsigned weights, of signed ones
  { V::dot(i, b, b) } -> std::same_as<typename V::Integers>;
  requires requires(typename V::template Dot<false>::Chain chain) {
    { V::template Dot<false>::kSixteenBits } -> std::convertible_to<bool>;
    V::template Dot<false>::end(i, V::template Dot<false>::add(V::template Dot<false>::begin(i), b, b));
  };
  requires requires(typename V::template Dot<true>::Chain chain) {
    V::template Dot<true>::end(i, V::template Dot<true>::add(V::template Dot<true>::begin(i), b, b));
  };
};

// Of quantised weights (lanes/formats.h says what the members mean).
template <class Format, class V>
concept WeightFormat = requires(const std::byte* p, typename Format::Scales scales) {
  { Format::kColumns* Format::kBytes } -> std::same_as<std::size_t>;
  { Format::kBits + Format::kOffset + Format::kGroups } -> std::same_as<int>;
  requires std::same_as<decltype(Format::kHasMins), const bool> && std::same_as<decltype(Format::kSigned), const bool>;
  { Format::quants(p, 0, 0) } -> std::same_as<typename V::Bytes>;
  scales.read(p);
  { scales.of(0, 0) } -> std::same_as<typename V::Floats>;
  requires !Format::kHasMins || requires {
    { scales.min(0, 0) } -> std::same_as<typename V::Floats>;
  };
};

// Of plain ones (lanes/linear.h).
template <class Format, class V>
concept PlainFormat = requires(const std::byte* p) {
  { Format::kColumns* Format::kBytes } -> std::same_as<std::size_t>;
  { Format::column(p, 0) } -> std::same_as<typename V::Floats>;
};

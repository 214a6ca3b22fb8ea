// Norms, RoPE, gates, softmax and the quantisation of activations, 16 lanes at a time.  Milestone M6.
//
// Included by each instruction set, inside its target region and namespace, after lanes.h. Every sum has 16 running
// sums, one a lane, added in one fixed order at the end.
#pragma once

// e^x of x ≤ 88.3 to about one unit in the last place: x = n·ln 2 + r with |r| ≤ ln 2 / 2, e^x = 2ⁿ·e^r, and e^r by its
// Taylor series: the first term left out, r⁸/8!, is below 6e-9. Under -87.3, where results would be denormal, it is 0.
template <class V>
inline typename V::Floats exp_below_88(typename V::Floats x) {
  using F = typename V::Floats;
  // of a NaN and a number, min and max give the second: NaN stays NaN
  const F clamped = V::max(V::broadcast(-87.3f), x);
  const F n = V::round(V::mul(clamped, V::broadcast(1.44269504f)));
  // ln 2 in two parts: the first has so few bits that n times it is exact
  F r = V::fma(n, V::broadcast(-0.693359375f), clamped);
  r = V::fma(n, V::broadcast(2.12194440e-4f), r);
  F e = V::broadcast(1.0f / 5040);
  e = V::fma(e, r, V::broadcast(1.0f / 720));
  e = V::fma(e, r, V::broadcast(1.0f / 120));
  e = V::fma(e, r, V::broadcast(1.0f / 24));
  e = V::fma(e, r, V::broadcast(1.0f / 6));
  e = V::fma(e, r, V::broadcast(0.5f));
  e = V::fma(e, r, V::broadcast(1.0f));
  e = V::fma(e, r, V::broadcast(1.0f));
  return V::where_less(x, V::broadcast(-87.3f), V::broadcast(0.0f), V::times_power_of_two(e, n));
}

// e^x; above 88.3 infinite.
template <class V>
inline typename V::Floats exp(typename V::Floats x) {
  const typename V::Floats e = exp_below_88<V>(V::min(V::broadcast(88.3f), x));
  return V::where_less(V::broadcast(88.3f), x, V::broadcast(__builtin_inff()), e);
}

// g / (1 + e^-g)
template <class V>
inline typename V::Floats silu(typename V::Floats g) {
  return V::div(g, V::add(V::broadcast(1.0f), exp<V>(V::negative(g))));
}

// g/2·(1 + tanh u) = g / (1 + e^-2u)
template <class V>
inline typename V::Floats gelu(typename V::Floats g) {
  const typename V::Floats cube = V::mul(V::mul(g, g), g);
  const typename V::Floats u =
      V::fma(cube, V::broadcast(0.7978845608028654f * 0.044715f), V::mul(g, V::broadcast(0.7978845608028654f)));
  return V::div(g, V::add(V::broadcast(1.0f), exp<V>(V::mul(u, V::broadcast(-2.0f)))));
}

inline std::size_t lanes_left(std::size_t n, std::size_t i) { return n - i < 16 ? n - i : 16; }

template <class V>
void silu_gate(float* out, const float* gate, const float* up, std::size_t n) {
  for (std::size_t i = 0; i < n; i += 16) {
    const std::size_t some = lanes_left(n, i);
    V::store_first(out + i, V::mul(silu<V>(V::load_first(gate + i, some)), V::load_first(up + i, some)), some);
  }
}

template <class V>
void gelu_gate(float* out, const float* gate, const float* up, std::size_t n) {
  for (std::size_t i = 0; i < n; i += 16) {
    const std::size_t some = lanes_left(n, i);
    V::store_first(out + i, V::mul(gelu<V>(V::load_first(gate + i, some)), V::load_first(up + i, some)), some);
  }
}

template <class V>
void add(float* x, const float* y, std::size_t n) {
  for (std::size_t i = 0; i < n; i += 16) {
    const std::size_t some = lanes_left(n, i);
    V::store_first(x + i, V::add(V::load_first(x + i, some), V::load_first(y + i, some)), some);
  }
}

template <class V>
void rms_norm(float* out, const float* x, const float* weight, std::size_t n, float epsilon) {
  typename V::Floats squares = V::broadcast(0.0f);
  for (std::size_t i = 0; i < n; i += 16) {
    const typename V::Floats v = V::load_first(x + i, lanes_left(n, i));
    squares = V::fma(v, v, squares);
  }
  const float inverse = 1.0f / __builtin_sqrtf(V::sum(squares) / static_cast<float>(n) + epsilon);
  for (std::size_t i = 0; i < n; i += 16) {
    const std::size_t some = lanes_left(n, i);
    const typename V::Floats v = V::mul(V::load_first(x + i, some), V::broadcast(inverse));
    V::store_first(out + i, V::mul(v, V::load_first(weight + i, some)), some);
  }
}

template <class V>
void rotate(float* x, const float* cosine, const float* sine, std::size_t half) {
  for (std::size_t i = 0; i < half; i += 16) {
    const std::size_t some = lanes_left(half, i);
    const typename V::Floats a = V::load_first(x + i, some), b = V::load_first(x + half + i, some);
    const typename V::Floats c = V::load_first(cosine + i, some), s = V::load_first(sine + i, some);
    V::store_first(x + i, V::sub(V::mul(a, c), V::mul(b, s)), some);
    V::store_first(x + half + i, V::add(V::mul(b, c), V::mul(a, s)), some);
  }
}

template <class V>
Kernels::MaxAndSum exponentiate(float* x, std::size_t n) {
  typename V::Floats largest = V::broadcast(x[0]);
  for (std::size_t i = 0; i + 16 <= n; i += 16) largest = V::max(largest, V::load(x + i));
  for (std::size_t i = n - n % 16; i < n; ++i) largest = V::max(largest, V::broadcast(x[i]));
  const float max = V::largest(largest);
  typename V::Floats sum = V::broadcast(0.0f);
  for (std::size_t i = 0; i < n; i += 16) {
    const std::size_t some = lanes_left(n, i);
    V::store_first(x + i, exp<V>(V::sub(V::load_first(x + i, some), V::broadcast(max))), some);
    sum = V::add(sum, V::load_first(x + i, some));
  }
  return {max, V::sum(sum)};
}

// To the nearest integer of -127 … 127; of a NaN, any.
template <class V>
inline typename V::Integers eight_bits(typename V::Floats x) {
  return V::to_integers(V::max(V::min(x, V::broadcast(127.0f)), V::broadcast(-127.0f)));
}

// x ≈ scale·q in blocks of 32, scale = the largest magnitude / 127. A NaN or an infinity makes the scale one, and every
// product with it. Step by step for 16 blocks: one block's steps wait for each other, another's do not.
template <class V>
void quantize(ActivationBlock* out, const float* x, std::size_t n) {
  for (std::size_t first = 0; first < n / 32; first += 16) {
    const std::size_t some = lanes_left(n / 32, first);
    float largest[16] = {}, scales[16], inverses[16];
    for (std::size_t b = 0; b < some; ++b) {
      const float* const values = x + 32 * (first + b);
      largest[b] = V::largest_magnitude(V::load(values), V::load(values + 16));
    }
    const typename V::Floats all = V::load(largest), zero = V::broadcast(0.0f), tiny = V::broadcast(1e-36f);
    // Under 1e-36 the inverse would overflow: such values are as good as zero.
    V::store(scales, V::where_less(all, tiny, zero, V::div(all, V::broadcast(127.0f))));
    V::store(inverses, V::where_less(all, tiny, zero, V::div(V::broadcast(127.0f), all)));
    for (std::size_t b = 0; b < some; ++b) {
      ActivationBlock& block = out[first + b];
      const float* const values = x + 32 * (first + b);
      const typename V::Floats inverse = V::broadcast(inverses[b]);
      const typename V::Integers q0 = eight_bits<V>(V::mul(V::load(values), inverse));
      const typename V::Integers q1 = eight_bits<V>(V::mul(V::load(values + 16), inverse));
      V::store_int8(block.q, q0);
      V::store_int8(block.q + 16, q1);
      const std::int32_t sum0 = V::sum(q0), sum1 = V::sum(q1);
      block.scale = scales[b];
      block.sum = scales[b] * static_cast<float>(sum0 + sum1);
      block.minus_first = -sum0;
      block.minus_sum = -sum0 - sum1;
    }
  }
}

template <class V>
void round_to_f16(std::uint16_t* out, const float* x, std::size_t n) {
  std::uint16_t rounded[16];
  for (std::size_t i = 0; i < n; i += 16) {
    const std::size_t some = lanes_left(n, i);
    V::store_f16(rounded, V::load_first(x + i, some));
    __builtin_memcpy(out + i, rounded, 2 * some);
  }
}

template <class V>
void round_to_q8(std::int8_t* out, std::uint16_t* scales, const float* x, std::size_t n) {
  for (std::size_t i = 0; i < n; i += 32, ++scales) {
    const std::size_t some = lanes_left(n, i), others = n - i > 16 ? lanes_left(n, i + 16) : 0;
    const typename V::Floats first = V::load_first(x + i, some);
    const typename V::Floats second = others == 0 ? V::broadcast(0.0f) : V::load_first(x + i + 16, others);
    const float largest = V::largest_magnitude(first, second), scale = largest / 127.0f;
    const float inverse = largest < 1e-36f ? 0.0f : 1.0f / scale;
    std::int8_t rounded[32];
    V::store_int8(rounded, eight_bits<V>(V::mul(first, V::broadcast(inverse))));
    V::store_int8(rounded + 16, eight_bits<V>(V::mul(second, V::broadcast(inverse))));
    __builtin_memcpy(out + i, rounded, some + others);
    std::uint16_t f16s[16];
    V::store_f16(f16s, V::broadcast(scale));
    *scales = f16s[0];
  }
}

template <class V>
void use_elementwise(Kernels& k) {
  k.rms_norm = rms_norm<V>;
  k.rotate = rotate<V>;
  k.silu_gate = silu_gate<V>;
  k.gelu_gate = gelu_gate<V>;
  k.exponentiate = exponentiate<V>;
  k.add = add<V>;
  k.quantize = quantize<V>;
  k.round_to_f16 = round_to_f16<V>;
  k.round_to_q8 = round_to_q8<V>;
}

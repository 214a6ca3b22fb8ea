#include "learn.h"

// Rung's rms_norm, linear, rope, attention, swiglu,
// add and keep: learn.h says what they take.
using namespace written;

// Yours: one layer of pebble, in place.
// x: [T, hidden]; row t stands at first + t
// keys, values: [first + T, kv_heads, d]: those of
//   the tokens before are there, those of x's are
//   yours to put in
// wq: [heads · d, hidden]  (outputs, inputs)
// wk, wv: [kv_heads · d, hidden]
// wo: [hidden, heads · d]
// w_gate, w_up: [intermediate, hidden]
// w_down: [hidden, intermediate]
// hidden = attention_norm.size(), d = q_norm.size()
void block(std::span<float> x, std::span<float> keys, std::span<float> values, std::size_t first,
           std::span<const float> attention_norm, std::span<const float> wq, std::span<const float> wk,
           std::span<const float> wv, std::span<const float> q_norm, std::span<const float> k_norm,
           std::span<const float> wo, std::span<const float> mlp_norm, std::span<const float> w_gate,
           std::span<const float> w_up, std::span<const float> w_down, std::span<const float> frequencies) {
  not_yet("block");
}

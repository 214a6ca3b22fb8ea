// cause: rope-missing
// fails: by-hand
#include "learn.h"

using namespace written;

void block(std::span<float> x, std::span<float> keys, std::span<float> values, std::size_t first,
           std::span<const float> attention_norm, std::span<const float> wq, std::span<const float> wk,
           std::span<const float> wv, std::span<const float> q_norm, std::span<const float> k_norm,
           std::span<const float> wo, std::span<const float> mlp_norm, std::span<const float> w_gate,
           std::span<const float> w_up, std::span<const float> w_down, std::span<const float> frequencies) {
  const std::size_t hidden = attention_norm.size(), d = q_norm.size(), tokens = x.size() / hidden;

  std::vector<float> normed = rms_norm(x, attention_norm);
  std::vector<float> q = rms_norm(linear(normed, wq, hidden), q_norm);
  std::vector<float> k = rms_norm(linear(normed, wk, hidden), k_norm);
  keep(keys, k, tokens, first);
  keep(values, linear(normed, wv, hidden), tokens, first);
  const std::vector<float> attended = attention(q, keys, values, tokens, first, d);
  add(x, linear(attended, wo, attended.size() / tokens));

  normed = rms_norm(x, mlp_norm);
  const std::vector<float> gated = swiglu(linear(normed, w_gate, hidden), linear(normed, w_up, hidden));
  add(x, linear(gated, w_down, gated.size() / tokens));
}

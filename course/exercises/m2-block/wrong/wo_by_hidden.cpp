// cause: attended-by-hidden
// fails: by-hand
#include "learn.h"

// What you have written so far, once more. Each gives its result back, so that you can put one into the other.
// A row of a matrix is as long as the weights say; the ε of the norm is pebble's.
std::vector<float> rms_norm(std::span<const float> x, std::span<const float> weight) {
  const std::size_t n = weight.size();
  std::vector<float> out(x.size());
  for (std::size_t begin = 0; begin < x.size(); begin += n) {
    float squares = 0;
    for (std::size_t i = 0; i < n; ++i) squares += x[begin + i] * x[begin + i];
    const float root = std::sqrt(squares / static_cast<float>(n) + 1e-6f);
    for (std::size_t i = 0; i < n; ++i) out[begin + i] = x[begin + i] / root * weight[i];
  }
  return out;
}

// x: [T, inputs], w: [outputs, inputs] → [T, outputs]. Ends the program where there are no such rows.
std::vector<float> linear(std::span<const float> x, std::span<const float> w, std::size_t inputs) {
  if (inputs == 0 || x.size() % inputs != 0 || w.size() % inputs != 0) {
    print("linear: %zu and %zu numbers are not whole rows of %zu\n", x.size(), w.size(), inputs);
    __builtin_trap();
  }
  const std::size_t outputs = w.size() / inputs;
  std::vector<float> out;
  for (std::size_t t = 0; t < x.size() / inputs; ++t) {
    for (std::size_t o = 0; o < outputs; ++o) {
      float sum = 0;
      for (std::size_t i = 0; i < inputs; ++i) sum += x[t * inputs + i] * w[o * inputs + i];
      out.push_back(sum);
    }
  }
  return out;
}

// heads: [T, heads, d], in place; row t stands at position first + t
void rope(std::span<float> heads, std::size_t tokens, std::size_t first, std::span<const float> frequencies) {
  const std::size_t half = frequencies.size(), width = heads.size() / tokens;
  for (std::size_t begin = 0; begin < heads.size(); begin += 2 * half) {
    for (std::size_t i = 0; i < half; ++i) {
      const float angle = static_cast<float>(first + begin / width) * frequencies[i];
      const float a = heads[begin + i], b = heads[begin + i + half];
      heads[begin + i] = a * std::cos(angle) - b * std::sin(angle);
      heads[begin + i + half] = b * std::cos(angle) + a * std::sin(angle);
    }
  }
}

// q: [T, heads, d] → [T, heads, d]; keys, values: [first + T, kv_heads, d]. Row t sees the positions up to first + t.
std::vector<float> attention(std::span<const float> q, std::span<const float> keys, std::span<const float> values,
                             std::size_t tokens, std::size_t first, std::size_t d) {
  const std::size_t heads = q.size() / tokens / d, kv_width = keys.size() / (first + tokens);
  std::vector<float> out(q.size());
  for (std::size_t begin = 0; begin < q.size(); begin += d) {
    const std::size_t t = begin / d / heads, kv_head = begin / d % heads * (kv_width / d) / heads;
    std::vector<float> scores(first + t + 1);
    for (std::size_t j = 0; j < scores.size(); ++j) {
      for (std::size_t i = 0; i < d; ++i) scores[j] += q[begin + i] * keys[j * kv_width + kv_head * d + i];
      scores[j] /= std::sqrt(static_cast<float>(d));
    }
    const float largest = *std::max_element(scores.begin(), scores.end());
    float sum = 0;
    for (std::size_t j = 0; j < scores.size(); ++j) {
      const float power = std::exp(scores[j] - largest);
      sum += power;
      for (std::size_t i = 0; i < d; ++i) out[begin + i] += power * values[j * kv_width + kv_head * d + i];
    }
    for (std::size_t i = 0; i < d; ++i) out[begin + i] /= sum;
  }
  return out;
}

std::vector<float> swiglu(std::span<const float> gate, std::span<const float> up) {
  std::vector<float> out(gate.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = gate[i] / (1.0f + std::exp(-gate[i])) * up[i];
  return out;
}

// x += y
void add(std::span<float> x, std::span<const float> y) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += y[i];
}

// Puts rows, [T, width], behind what is there: they become rows first, first + 1, … of kept.
void keep(std::span<float> kept, std::span<const float> rows, std::size_t tokens, std::size_t first) {
  const std::size_t width = rows.size() / tokens;
  for (std::size_t i = 0; i < rows.size(); ++i) kept[first * width + i] = rows[i];
}

// Yours: one layer of pebble, in place.  x: [T, hidden]; row t stands at position first + t.
// keys, values: [first + T, kv_heads, d]: those of the tokens before are there, those of x's are yours to put in.
// Weights of linear layers are [outputs, inputs]: wq: [heads · d, hidden], wk, wv: [kv_heads · d, hidden],
// wo: [hidden, heads · d], w_gate, w_up: [intermediate, hidden], w_down: [hidden, intermediate].
// hidden = attention_norm.size(), d = q_norm.size().
void block(std::span<float> x, std::span<float> keys, std::span<float> values, std::size_t first,
           std::span<const float> attention_norm, std::span<const float> wq, std::span<const float> wk,
           std::span<const float> wv, std::span<const float> q_norm, std::span<const float> k_norm,
           std::span<const float> wo, std::span<const float> mlp_norm, std::span<const float> w_gate,
           std::span<const float> w_up, std::span<const float> w_down, std::span<const float> frequencies) {
  const std::size_t hidden = attention_norm.size(), d = q_norm.size(), tokens = x.size() / hidden;

  // Attention: what of the other tokens matters to each.
  std::vector<float> normed = rms_norm(x, attention_norm);
  std::vector<float> q = rms_norm(linear(normed, wq, hidden), q_norm);
  std::vector<float> k = rms_norm(linear(normed, wk, hidden), k_norm);
  rope(q, tokens, first, frequencies);
  rope(k, tokens, first, frequencies);
  keep(keys, k, tokens, first);
  keep(values, linear(normed, wv, hidden), tokens, first);
  const std::vector<float> attended = attention(q, keys, values, tokens, first, d);
  add(x, linear(attended, wo, hidden));

  // The MLP: each token by itself.
  normed = rms_norm(x, mlp_norm);
  const std::vector<float> gated = swiglu(linear(normed, w_gate, hidden), linear(normed, w_up, hidden));
  add(x, linear(gated, w_down, gated.size() / tokens));
}

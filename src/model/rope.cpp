#include "model/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace rung {

namespace {

// The official implementation computes these tables in f32; so do we, since position 8000 times a last-digit difference
// can be seen.
float power_of_theta(float theta, std::size_t i, std::size_t head_dim) {
  return std::pow(theta, static_cast<float>(2 * i) / static_cast<float>(head_dim));
}

Rope linear(const Settings& s, const RopeContext& c) {
  const float factor = s.number("factor");
  Rope rope = plain_rope(c.theta, c.head_dim);
  for (float& f : rope.inverse_frequencies) f /= factor;
  return rope;
}

// Llama 3.1: long wavelengths are stretched by `factor`, short ones kept, those between blended.
Rope llama3(const Settings& s, const RopeContext& c) {
  const float factor = s.number("factor");
  const float low = s.number("low_freq_factor");
  const float high = s.number("high_freq_factor");
  const auto original = static_cast<float>(s.size("original_max_position_embeddings", c.max_positions));
  if (high <= low) s.wrong("high_freq_factor", fmt::format("more than low_freq_factor, which is {}", low));
  Rope rope = plain_rope(c.theta, c.head_dim);
  for (float& f : rope.inverse_frequencies) {
    const float wavelength = 2 * std::numbers::pi_v<float> / f;
    if (wavelength < original / high) continue;
    if (wavelength > original / low) {
      f /= factor;
    } else {
      const float smooth = (original / wavelength - low) / (high - low);
      f = (1 - smooth) * f / factor + smooth * f;
    }
  }
  return rope;
}

// The official implementation takes a 0 for absent here, and reckons with both scales or with neither.
Rope yarn(const Settings& s, const RopeContext& c) {
  const auto original = static_cast<float>(s.size("original_max_position_embeddings", c.max_positions));
  const Yarn y{
      .factor = s.number("factor", static_cast<float>(c.max_positions) / original),
      .original_positions = original,
      .beta_fast = static_cast<float>(s.number_unless_zero("beta_fast").value_or(32)),
      .beta_slow = static_cast<float>(s.number_unless_zero("beta_slow").value_or(1)),
      .truncate = s.boolean("truncate", true),
  };
  const auto mscale = s.number_unless_zero("mscale");
  const auto mscale_all_dim = s.number_unless_zero("mscale_all_dim");
  float attention_factor = yarn_attention_factor(y.factor);
  if (mscale && mscale_all_dim) {
    attention_factor = yarn_attention_factor(y.factor, static_cast<float>(*mscale)) /
                       yarn_attention_factor(y.factor, static_cast<float>(*mscale_all_dim));
  }
  return yarn_rope(y, s.number("attention_factor", attention_factor), c.theta, c.head_dim);
}

}  // namespace

Rope plain_rope(float theta, std::size_t head_dim) {
  Rope rope;
  for (std::size_t i = 0; i < head_dim / 2; ++i) {
    rope.inverse_frequencies.push_back(1.0f / power_of_theta(theta, i, head_dim));
  }
  return rope;
}

float yarn_attention_factor(float factor, float mscale) {
  return factor <= 1 ? 1.0f : 0.1f * mscale * std::log(factor) + 1.0f;
}

// Dimensions that turn more than beta_fast times over the original context are kept, those that turn less than
// beta_slow times are stretched by the factor, and a ramp lies between.
Rope yarn_rope(const Yarn& y, float attention_factor, float theta, std::size_t head_dim) {
  const auto dimension_of = [&](double rotations) {
    return static_cast<double>(head_dim) * std::log(y.original_positions / (rotations * 2 * std::numbers::pi)) /
           (2 * std::log(static_cast<double>(theta)));
  };
  double low = dimension_of(y.beta_fast);
  double high = dimension_of(y.beta_slow);
  if (y.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(head_dim) - 1);
  if (low == high) high += 0.001;

  Rope rope;
  rope.magnitude = attention_factor;
  for (std::size_t i = 0; i < head_dim / 2; ++i) {
    const float frequency = power_of_theta(theta, i, head_dim);
    const float ramp =
        std::clamp((static_cast<float>(i) - static_cast<float>(low)) / static_cast<float>(high - low), 0.0f, 1.0f);
    rope.inverse_frequencies.push_back(1.0f / (y.factor * frequency) * ramp + 1.0f / frequency * (1 - ramp));
  }
  return rope;
}

NamedRope scaled_rope(const Settings& s, const RopeContext& outer) {
  RopeContext c = outer;
  c.theta = s.number("rope_theta", c.theta);
  s.require("partial_rotary_factor", 1.0, "only whole heads are turned");
  std::string type = s.text("type").value_or("default");
  type = s.text("rope_type").value_or(type);
  NamedRope result;
  if (type == "default") {
    result.rope = plain_rope(c.theta, c.head_dim);
  } else if (type == "linear") {
    result.rope = linear(s, c);
  } else if (type == "llama3") {
    result.rope = llama3(s, c);
  } else if (type == "yarn") {
    result.rope = yarn(s, c);
  } else {
    s.wrong("rope_type", "default, linear, llama3 or yarn");
  }
  s.ignore({"finetuned"});
  if (type == "default") s.ignore({"factor"});
  if (type == "linear") s.ignore({"original_max_position_embeddings"});
  s.finish();
  result.name = type == "default" ? fmt::format("theta {}", c.theta)
                                  : fmt::format("{} ×{}, theta {}", type, s.number("factor", 1), c.theta);
  return result;
}

}  // namespace rung

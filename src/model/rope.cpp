#include "model/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

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

std::size_t original_positions(const Settings& s, const RopeContext& c) {
  const std::size_t inside = s.size("original_max_position_embeddings", c.max_positions);
  return c.original_positions.value_or(inside);
}

// Llama 3.1: long wavelengths are stretched by `factor`, short ones kept, those between blended.
Rope llama3(const Settings& s, const RopeContext& c) {
  const float factor = s.number("factor");
  const float low = s.number("low_freq_factor");
  const float high = s.number("high_freq_factor");
  const auto original = static_cast<float>(original_positions(s, c));
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
  const auto original = static_cast<float>(original_positions(s, c));
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
  s.ignore({"attn_factor"});  // some wrote this name; the official implementation reads the other alone
  return yarn_rope(y, s.number("attention_factor", attention_factor), c.theta, c.head_dim);
}

// "Dynamic NTK": beyond the model's own context the base grows with the session, so that the longest wave keeps pace
// and the shortest stays.  θ' = θ·(factor·L/max - (factor - 1))^(d/(d - 2)).
SessionRope dynamic(const Settings& s, const RopeContext& c) {
  constexpr double kLargestFactor = 1e6;  // whatever the file says: most_tokens is a count
  const float factor = s.number("factor");
  if (c.head_dim <= 2) fail("{}: dynamic rope scaling needs a head_dim of more than 2", s.where());
  const auto longer = [c, factor](std::size_t context_tokens) {
    const float stretched =
        factor * static_cast<float>(context_tokens) / static_cast<float>(c.max_positions) - (factor - 1);
    const float power = static_cast<float>(c.head_dim) / static_cast<float>(c.head_dim - 2);
    return plain_rope(c.theta * std::pow(stretched, power), c.head_dim);
  };
  return {.usual = plain_rope(c.theta, c.head_dim),
          .usual_tokens = c.max_positions,
          .longer = longer,
          .most_tokens = static_cast<std::size_t>(std::min(static_cast<double>(factor), kLargestFactor) *
                                                  static_cast<double>(c.max_positions))};
}

SessionRope longrope_of(const Settings& s, const RopeContext& c) {
  const std::size_t original = original_positions(s, c);
  const float factor = s.number("factor", static_cast<float>(c.max_positions) / static_cast<float>(original));
  const float usual = factor <= 1 ? 1 : std::sqrt(1 + std::log(factor) / std::log(static_cast<float>(original)));
  const std::vector<float> short_factors = s.numbers("short_factor", c.head_dim / 2),
                           long_factors = s.numbers("long_factor", c.head_dim / 2);
  return longrope(short_factors, long_factors, original, s.number("attention_factor", usual), c.theta, c.head_dim);
}

// What a rope that is one table is called, and one that is two.
std::string name_of(const std::string& type, const SessionRope& rope, const Settings& s, float theta) {
  if (type == "default") return fmt::format("theta {}", theta);
  if (type == "longrope")
    return fmt::format("longrope, long factors beyond {} tokens, theta {}", rope.usual_tokens, theta);
  const std::string scaled = fmt::format("{} ×{}", type, s.number("factor", 1));
  return rope.longer ? fmt::format("{} beyond {} tokens, theta {}", scaled, rope.usual_tokens, theta)
                     : fmt::format("{}, theta {}", scaled, theta);
}

}  // namespace

SessionRope longrope(std::span<const float> short_factors, std::span<const float> long_factors,
                     std::size_t original_positions, float attention_factor, float theta, std::size_t head_dim) {
  const auto table = [&](std::span<const float> factors) {
    Rope rope{.inverse_frequencies = {}, .magnitude = attention_factor};
    for (std::size_t i = 0; i < factors.size(); ++i) {
      rope.inverse_frequencies.push_back(1.0f / (factors[i] * power_of_theta(theta, i, head_dim)));
    }
    return rope;
  };
  return {.usual = table(short_factors),
          .usual_tokens = original_positions,
          .longer = [beyond = table(long_factors)](std::size_t) { return beyond; }};
}

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
  const char* const type_key = s.has("rope_type") || !s.has("type") ? "rope_type" : "type";  // the old spelling
  const std::string type = s.text(type_key).value_or("default");
  s.ignore({"type"});
  NamedRope result;
  if (type == "default") {
    result.rope.usual = plain_rope(c.theta, c.head_dim);
  } else if (type == "linear") {
    result.rope.usual = linear(s, c);
  } else if (type == "llama3") {
    result.rope.usual = llama3(s, c);
  } else if (type == "yarn") {
    result.rope.usual = yarn(s, c);
  } else if (type == "dynamic") {
    result.rope = dynamic(s, c);
  } else if (type == "longrope") {
    result.rope = longrope_of(s, c);
  } else {
    s.wrong(type_key, "default, linear, llama3, yarn, dynamic or longrope");
  }
  s.ignore({"finetuned"});
  if (type == "default") s.ignore({"factor"});
  if (type == "linear" || type == "dynamic") s.ignore({"original_max_position_embeddings"});
  s.finish();
  result.name = name_of(type, result.rope, s, c.theta);
  return result;
}

}  // namespace rung

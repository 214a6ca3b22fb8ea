// RoPE's scaling schemes → one table of inverse frequencies, so that the forward pass knows none of them.  Milestone
// M2.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "model/config.h"
#include "model/settings.h"
#include "ops/ops.h"

namespace rung {

// θ^(-2i / head_dim), i < head_dim / 2.  (Su et al. 2021, arXiv:2104.09864, §3.2.2)
Rope plain_rope(float theta, std::size_t head_dim);

struct RopeContext {
  float theta;
  std::size_t head_dim;
  std::size_t max_positions;  // max_position_embeddings: what a scheme falls back to
  // original_max_position_embeddings beside the scheme, as Phi-3's exporters write it: holds over the one inside
  std::optional<std::size_t> original_positions = {};
};

// `scheme` is `rope_parameters` or `rope_scaling` of config.json: rope_type (or type) default, linear, llama3, yarn,
// dynamic or longrope, and its numbers. Another type, or a key that the type does not know, throws Error.
struct NamedRope {
  SessionRope rope;
  std::string name;  // "yarn ×4, theta 1000000"
};
NamedRope scaled_rope(const Settings& scheme, const RopeContext& context);

// YaRN (Peng et al. 2023, arXiv:2309.00071).
struct Yarn {
  float factor = 1;
  float original_positions = 0;
  float beta_fast = 32;
  float beta_slow = 1;
  bool truncate = true;
};
Rope yarn_rope(const Yarn& yarn, float attention_factor, float theta, std::size_t head_dim);
float yarn_attention_factor(float factor, float mscale = 1);  // 0.1·mscale·ln(factor) + 1

// LongRoPE (Ding et al. 2024, arXiv:2402.13753): every frequency has a divisor of its own, [head_dim / 2], one set for
// sessions up to `original_positions` tokens, another for longer ones.
SessionRope longrope(std::span<const float> short_factors, std::span<const float> long_factors,
                     std::size_t original_positions, float attention_factor, float theta, std::size_t head_dim);

}  // namespace rung

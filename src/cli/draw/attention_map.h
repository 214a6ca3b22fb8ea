// The checkpoints q_rope and k_rope → pictures of who looks at whom, a head each.  Milestone M2.
#pragma once

#include <span>
#include <vector>

#include "base/json.h"
#include "model/config.h"
#include "ops/ops.h"
#include "text/tokenizer.h"

namespace rung {

class AttentionMaps {
 public:
  // All arguments outlive this. Throws Error: more tokens than a picture can show.
  AttentionMaps(const ModelConfig& config, std::span<const TokenId> ids, const Tokenizer& tokenizer, bool json);

  // Called with every checkpoint; draws a layer's heads as soon as it has seen what they need.
  void look_at(const Checkpoint& at, const NamedTensor& x);
  // With JSON: {"ids", "pieces", "attention": [{"layer", "head", "weights": [[…], …]}, …]}.
  void finish();

 private:
  void show(std::size_t layer, std::size_t head, std::span<const float> weights);
  void draw(std::size_t layer, std::size_t head, std::span<const float> weights) const;

  const ModelConfig& config_;
  std::span<const TokenId> ids_;
  const Tokenizer& tokenizer_;
  bool json_;
  std::vector<float> q_;
  OrderedJson maps_ = OrderedJson::array();
};

}  // namespace rung

// What a head or a layer contributes is seen when it does not: parts of the model, switched off.  Milestone M2.
//
// A head is off when what it gathered is 0: it then adds nothing to the residual stream, and all that comes after goes
// on without it. (Michel et al. 2019, arXiv:1905.10650, leave out heads in the same way.)
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "ops/decorator.h"

namespace rung {

// A head of a layer; or, without a head, all of the layer's attention, its MLP, or both.
struct SwitchedOff {
  std::size_t layer = 0;
  std::optional<std::size_t> head = {};
  bool attention = true;  // where there is no head
  bool mlp = false;
};

class SwitchedOffOps : public LookingOps {
 public:
  SwitchedOffOps(Ops& inner, std::vector<SwitchedOff> parts) : LookingOps(inner), parts_(std::move(parts)) {}

  void do_attention(Tensor<float, Tokens, Heads, HeadDim> out, Tensor<const float, Tokens, Heads, HeadDim> q,
                    const BatchRows& rows, std::size_t layer, const AttentionSettings& settings) override {
    layer_ = layer;
    inner_.do_attention(out, q, rows, layer, settings);
    for (const SwitchedOff& part : parts_) {
      if (part.layer != layer || (!part.head && !part.attention)) continue;
      const std::size_t first = part.head.value_or(0), end = part.head ? first + 1 : out.extent<Heads>();
      for (std::size_t t = 0; t < rows.size(); ++t) {
        for (std::size_t h = first; h < end; ++h) {
          const std::span<float> gathered = out[t][h].span();
          std::fill(gathered.begin(), gathered.end(), 0.0f);
        }
      }
    }
  }

  void do_gate(Matrix out, ConstMatrix gate, ConstMatrix up, Activation activation) override {
    inner_.do_gate(out, gate, up, activation);
    for (const SwitchedOff& part : parts_) {
      if (part.layer == layer_ && !part.head && part.mlp) std::fill_n(out.data(), out.size(), 0.0f);
    }
  }

 private:
  std::vector<SwitchedOff> parts_;
  std::size_t layer_ = 0;  // a layer's MLP comes after its attention, which knows its number
};

}  // namespace rung

// q, k → how much each token looks at each other one. The forward pass never keeps these numbers; this makes them
// again, to be looked at. Milestone M2.
#pragma once

#include <vector>

#include "ops/ops.h"

namespace rung {

// weights[h, t, j] = softmax_j(scale·q[t,h]·k[j,g]) over j ≤ t inside the window, g = h·kv_heads / heads; 0 elsewhere.
// Row t is the token at position t of one sequence that begins at 0.
std::vector<float> attention_weights(Tensor<const float, Tokens, Heads, HeadDim> q,
                                     Tensor<const float, Tokens, KvHeads, HeadDim> k,
                                     const AttentionSettings& settings);

}  // namespace rung

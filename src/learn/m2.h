// What the files of milestone M2 share: an exercise is a namespace, and its reference is what the larger ones are made
// of.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <functional>
#include <span>

#include "learn/exercise.h"
#include "ops/ops.h"

namespace rung::learn {

using In = std::span<const float>;
using Out = std::span<float>;

// The norm before the logits: those of the layers have the layer's number in their name.
inline bool is_last_norm(const Norm& norm) {
  return std::none_of(norm.name.begin(), norm.name.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

// What a verb does before an exercise that only looks at it takes its place: what is there, or Rung's own.
std::function<void(Matrix out, ConstMatrix x, const Norm& norm)> norm_of(const Seams& seams);
std::function<void(Ops& inner, Matrix out, ConstMatrix x, const PackedMatrix& w)> linear_of(const Seams& seams);

namespace embedding {
Exercise exercise();
}
namespace linear {
void reference(Out out, In x, In w, std::size_t tokens, std::size_t inputs, std::size_t outputs);
Exercise exercise();
}  // namespace linear
namespace rope {
void reference(Out head, std::size_t position, In frequencies);
Exercise exercise();
}  // namespace rope
namespace swiglu {
void reference(Out out, In gate, In up);
Exercise exercise();
}  // namespace swiglu
namespace logits {
Exercise exercise();
}
namespace one_head {
void reference(Out out, In q, In keys, In values, float scale);
Exercise exercise();
}  // namespace one_head
namespace causal_mask {
Exercise exercise();
}
namespace softmax {
Exercise exercise();
}
namespace gqa {
std::size_t reference(std::size_t head, std::size_t heads, std::size_t kv_heads);
Exercise exercise();
}  // namespace gqa
namespace block {
Exercise exercise();
}

}  // namespace rung::learn

#include "learn.h"

// x: [hidden], the last token's row; norm: [hidden]
// head: [vocabulary, hidden] → out: [vocabulary]
// The row is normed (RMSNorm), then compared with
// each row of the head.
void logits(std::span<float> out, std::span<const float> x, std::span<const float> norm, std::span<const float> head,
            float epsilon) {
  not_yet("logits");
}

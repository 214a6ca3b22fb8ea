#include "learn.h"

// q: [d], keys and values: [n, d] → out: [d]
// s_j = scale · q·keys[j]
// out = Σ_j e^(s_j) · values[j] / Σ_j e^(s_j)
void attend(std::span<float> out, std::span<const float> q, std::span<const float> keys, std::span<const float> values,
            float scale) {
  not_yet("attend");
}

#include "learn.h"

// scores: [n], n ≥ 1, in place
// From scores to shares, which sum to 1.
void softmax(std::span<float> scores) { not_yet("softmax"); }

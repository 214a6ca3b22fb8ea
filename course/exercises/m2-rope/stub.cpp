#include "learn.h"

// head: [d], in place; frequencies: [d / 2].
// The pair (i, i + d/2) is turned by the angle
// position · frequencies[i].
void rope(std::span<float> head, std::size_t position, std::span<const float> frequencies) { not_yet("rope"); }

// cause: row-width-forgotten
// fails: by-hand
#include "learn.h"

void append(std::span<float> keys, std::span<float> values, std::span<const float> k, std::span<const float> v,
            std::size_t position) {
  for (std::size_t i = 0; i < k.size(); ++i) {
    keys[position + i] = k[i];
    values[position + i] = v[i];
  }
}

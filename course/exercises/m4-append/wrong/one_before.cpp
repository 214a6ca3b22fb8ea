// cause: cache-position
// fails: by-hand
#include "learn.h"

void append(std::span<float> keys, std::span<float> values, std::span<const float> k, std::span<const float> v,
            std::size_t position) {
  const std::size_t row = (position + 1) * k.size();
  std::copy(k.begin(), k.end(), keys.begin() + static_cast<std::ptrdiff_t>(row));
  std::copy(v.begin(), v.end(), values.begin() + static_cast<std::ptrdiff_t>(row));
}

// cause: not-a-number
// fails: by-hand
#include "learn.h"

void multiply(std::span<float> out, std::span<const float> x, std::span<const float> w, std::size_t tokens,
              std::size_t rows, std::size_t columns) {
  for (std::size_t t = 0; t < tokens; ++t) {
    for (std::size_t r = 0; r < rows / 2; ++r) {
      float sum = 0;
      for (std::size_t i = 0; i < columns; ++i) sum += x[t * columns + i] * w[r * columns + i];
      out[t * rows + r] = sum;
    }
  }
}

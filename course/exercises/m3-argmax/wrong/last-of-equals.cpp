// cause: last-of-equals
// fails: by-hand
#include "learn.h"

std::int32_t argmax(std::span<const float> logits) {
  std::int32_t id = 0;
  for (std::size_t i = 0; i < logits.size(); i++) {
    if (logits[i] >= logits[static_cast<std::size_t>(id)]) id = static_cast<std::int32_t>(i);
  }
  return id;
}

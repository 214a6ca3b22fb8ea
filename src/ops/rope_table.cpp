#include "ops/rope_table.h"

#include <algorithm>
#include <cmath>

namespace rung {

RopeTable::Entry& RopeTable::entry(const Rope& rope) {
  for (Entry& e : entries_) {
    if (e.magnitude == rope.magnitude && e.inverse_frequencies == rope.inverse_frequencies) return e;
  }
  constexpr std::size_t kMost = 8;  // a model has one or two; those of models that are gone make room
  if (entries_.size() == kMost) entries_.erase(entries_.begin());
  return entries_.emplace_back(Entry{rope.inverse_frequencies, rope.magnitude, {}});
}

const float* RopeTable::rows(const Rope& rope, std::size_t positions) {
  constexpr std::size_t kMore = 64;  // the next token asks for the next position
  Entry& e = entry(rope);
  const std::size_t half = rope.inverse_frequencies.size();
  const std::size_t have = e.rows.size() / (2 * half);
  if (have >= positions) return e.rows.data();
  const std::size_t wanted = positions + kMore;
  e.rows.resize(wanted * 2 * half);
  for (std::size_t p = have; p < wanted; ++p) {
    float* row = e.rows.data() + p * 2 * half;
    for (std::size_t i = 0; i < half; ++i) {
      const float angle = static_cast<float>(p) * rope.inverse_frequencies[i];
      row[i] = std::cos(angle) * rope.magnitude;
      row[half + i] = std::sin(angle) * rope.magnitude;
    }
  }
  return e.rows.data();
}

}  // namespace rung

// A forward pass → what it must at least move and compute.  Milestones M4, M6.
//
// Each weight is read from memory once a pass, however many tokens share it, and multiplied once a token. Keys and
// values are read once a pass by each sequence. What lies between the layers is small and stays in the caches: it
// counts for nothing here.
#pragma once

#include <cstddef>

#include "model/model.h"
#include "ops/kv_cache.h"

namespace rung {

struct PassCost {
  double weight_bytes = 0;
  double cache_bytes = 0;
  double int8_operations = 0;   // of linear layers whose weights are quantised: a product and an addition are two
  double bf16_operations = 0;   // of linear layers whose weights are bf16
  double float_operations = 0;  // of the other linear layers, and of attention

  double bytes() const { return weight_bytes + cache_bytes; }
  double operations() const { return int8_operations + bf16_operations + float_operations; }
  PassCost& operator+=(const PassCost& other);
};

// A pass in which each of `sequences` adds `tokens` to the `before` that it has, and the last of each asks for logits.
struct PassShape {
  std::size_t sequences = 1;
  std::size_t before = 0;
  std::size_t tokens = 1;
  bool logits = true;
};
PassCost cost_of(const Model& model, const KvShape& cache, const PassShape& pass);

}  // namespace rung

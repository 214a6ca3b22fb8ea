// `rung bench --predict --device metal --chip NAME`: a Mac's speed, foretold by public numbers.  Milestone M7.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/loaded_model.h"
#include "measure/metal_prediction.h"

namespace rung {

struct MetalPredictionOptions {
  const MacChip* chip = nullptr;
  DType cache_type = DType::f16;
  std::vector<std::size_t> contexts;  // of one sequence, before the token
  bool json = false;
};
void print_metal_prediction(const LoadedModel& loaded, const MetalPredictionOptions& options);

}  // namespace rung

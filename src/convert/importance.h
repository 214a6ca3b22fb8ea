// A model and a text → how much each column of each matrix matters: the mean of the squares of what meets it. Milestone
// M5.
//
// A linear layer's output is off by Σ_i x[i]·Δw[i]. With inputs that are on average independent, the mean square of
// that is Σ_i mean(x[i]²)·Δw[i]²: so an error in a column costs as much as its inputs are large, and the quantisers are
// told so. (llama.cpp calls the table an importance matrix.)
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "convert/quantize.h"
#include "engine/loaded_model.h"
#include "ops/ops.h"

namespace rung {

struct ImportanceOptions {
  std::size_t window_tokens = 512;  // the text is read in pieces of so many, each from an empty context
  std::function<void(std::size_t done, std::size_t total)> progress = {};  // tokens
};

// By the names that GGUF has for the matrices. Throws Error: a text without tokens.
Importance measure_importance(const LoadedModel& model, Ops& ops, std::string_view text,
                              const ImportanceOptions& options = {});

}  // namespace rung

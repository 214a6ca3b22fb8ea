// The names of a file's tensors → the names that a family's layout knows.  Milestone M2.
#pragma once

#include "files/tensor_map.h"
#include "model/config.h"

namespace rung {

// The same tensors under the names that the layout knows. Each keeps the file's own name for errors.
TensorMap by_known_names(const TensorMap& tensors, const WeightLayout& layout);

}  // namespace rung

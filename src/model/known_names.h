// A file's tensors → those that a family's layout knows, under the names that it has for them.  Milestone M2.
#pragma once

#include "files/tensor_map.h"
#include "model/config.h"

namespace rung {

// Each keeps the file's own name for errors. With Head::tied, the head is among them only if it is a tensor of its own:
// as transformers has it, a head that is alone is the embedding, too, and one that equals the embedding is dropped.
TensorMap by_known_names(const TensorMap& tensors, const WeightLayout& layout);

}  // namespace rung

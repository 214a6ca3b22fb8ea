#include "files/tensor_map.h"

#include "base/error.h"
#include "base/printable.h"

namespace rung {

const FileTensor* find_tensor(const TensorMap& tensors, std::string_view name) {
  if (const auto found = tensors.find(name); found != tensors.end()) return &found->second;
  if (const auto other = tensors.others.find(name); other != tensors.others.end()) {
    fail(
        "{}: tensor '{}' is of type {}, expected one of f32, f16, bf16, q4_0, q4_1, q5_0, q5_1, q8_0, q2_k, q3_k, "
        "q4_k, q5_k, q6_k",
        other->second.file, printable(name), printable(other->second.type));
  }
  return nullptr;
}

}  // namespace rung

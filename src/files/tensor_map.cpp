#include "files/tensor_map.h"

#include "base/error.h"
#include "base/printable.h"

namespace rung {

const FileTensor* find_tensor(const TensorMap& tensors, std::string_view name) {
  if (const auto found = tensors.find(name); found != tensors.end()) return &found->second;
  if (const auto other = tensors.others.find(name); other != tensors.others.end()) {
    std::string known;
    for (const DTypeInfo& i : kDTypes) known += fmt::format("{}{}", known.empty() ? "" : ", ", i.name);
    fail("{}: tensor '{}' is of type {}, expected one of {}", other->second.file, printable(name),
         printable(other->second.type), known);
  }
  return nullptr;
}

}  // namespace rung

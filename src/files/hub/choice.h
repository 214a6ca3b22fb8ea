// The names in a repository → the files that make a model which Rung runs.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "files/hub/hub.h"

namespace rung {

// More than one model fits, or none: which, the one who asked must say.
class UnclearChoice : public Error {
 public:
  using Error::Error;
};

// A model in the GGUF format: one file, or all the parts of a split one in their order.
struct GgufModel {
  std::string quantization;  // as its name says it: "Q4_K_M", "UD-Q4_K_XL", "BF16"; else the whole name
  std::vector<HubFile> files;
  std::uint64_t bytes() const;
};

// By their names' order; without projectors (mmproj*) and importance matrices (imatrix*).
std::vector<GgufModel> gguf_models(std::span<const HubFile> files);

// The one that is meant: by its quantization in any case, or by its file's name; without a word the only one, or
// Q4_K_M. Throws UnclearChoice, with the names and sizes of all; `where` begins the line.
const GgufModel& choose(const std::vector<GgufModel>& models, std::string_view quantization, const std::string& where);

// What Rung reads of a folder beside its weights: configurations, tokenizer, chat templates.
bool is_beside_weights(std::string_view file);

inline constexpr const char* kWeightsName = "model.safetensors";
inline constexpr const char* kIndexName = "model.safetensors.index.json";

// Does the repository hold safetensors as Rung reads them?
bool has_safetensors(const HubRepository& repository);

}  // namespace rung

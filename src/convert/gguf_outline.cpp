#include "convert/gguf_outline.h"

#include <algorithm>
#include <functional>
#include <set>
#include <type_traits>
#include <utility>

#include "base/error.h"
#include "base/mapped_file.h"
#include "model/families/families.h"
#include "tensor/blocks.h"

namespace rung {

std::size_t SourceTensor::rows() const {
  std::size_t n = 1;
  for (std::size_t i = 0; i + 1 < shape.size(); ++i) n *= shape[i];
  return n;
}

void SourceTensor::read_row(std::span<float> out, std::size_t r) const {
  if (!values.empty()) {
    std::copy_n(values.data() + r * out.size(), out.size(), out.data());
    return;
  }
  if (halves_head_dim != 0) r = official_row(r, halves_head_dim);
  decode_row(out, dtype, bytes.data() + r * row_bytes(dtype, out.size()));
  if (added != 0) {
    for (float& v : out) v += added;
  }
}

namespace {

// What is said anew of the file to be, or holds only for the one that there was.
bool belongs_to_the_old_file(std::string_view key) {
  return key == "general.alignment" || key == "general.file_type" || key == "general.quantization_version" ||
         key.starts_with("split.") || key.starts_with("quantize.");
}

// In the order that people expect: what the file is, the model, the tokenizer. (Read, the keys stand in the order of
// the alphabet.)
int part_of(std::string_view key) {
  if (key == "general.architecture") return 0;
  if (key.starts_with("general.")) return 1;
  return key.starts_with("tokenizer.") ? 3 : 2;
}

// What a tokenizer of more tokens than the model says about those that the model has. (Readers take the length of the
// list for the size of the model: llama.cpp refuses a file where they differ.)
class FirstTokens {
 public:
  FirstTokens(const Gguf& gguf, std::size_t count) : count_(count) {
    const auto* tokens = gguf.strings("tokenizer.ggml.tokens");
    if (tokens == nullptr || tokens->size() <= count) return;
    left_out_.insert(tokens->begin() + static_cast<std::ptrdiff_t>(count), tokens->end());
  }

  // nullopt: nothing.
  std::optional<GgufValue> of(std::string_view key, GgufValue value) const {
    if (left_out_.empty() || !key.starts_with("tokenizer.ggml.")) return value;
    if (key.ends_with("_token_id")) return names_one(value) ? std::optional(std::move(value)) : std::nullopt;
    auto* array = std::get_if<GgufArray>(&value);
    if (array == nullptr) return value;
    if (key.ends_with(".merges")) {
      if (auto* merges = std::get_if<std::vector<std::string_view>>(&array->values)) {
        std::erase_if(*merges, [&](std::string_view merge) { return uses_one(merge); });
      }
    } else if (key.ends_with(".tokens") || key.ends_with(".scores") || key.ends_with(".token_type")) {
      std::visit([&](auto& values) { values.resize(std::min(values.size(), count_)); }, array->values);
    }
    return value;
  }

 private:
  bool names_one(const GgufValue& value) const {
    const auto* scalar = std::get_if<GgufScalar>(&value);
    return scalar != nullptr && std::visit(
                                    [&](const auto& id) {
                                      if constexpr (std::is_integral_v<std::decay_t<decltype(id)>>) {
                                        return std::cmp_less(+id, count_);
                                      }
                                      return false;
                                    },
                                    *scalar);
  }

  // "left right"
  bool uses_one(std::string_view merge) const {
    const std::size_t space = std::min(merge.find(' ', 1), merge.size());
    const std::string left(merge.substr(0, space)), right(merge.substr(std::min(space + 1, merge.size())));
    return left_out_.contains(left) || left_out_.contains(right) || left_out_.contains(left + right);
  }

  std::size_t count_;
  std::set<std::string, std::less<>> left_out_;
};

GgufOutline outline_from_gguf(const Gguf& gguf, const WeightLayout& layout, std::size_t tokens) {
  GgufOutline outline;
  const FirstTokens first(gguf, tokens);
  for (int part = 0; part < 4; ++part) {
    for (const auto& [key, value] : gguf.metadata()) {
      if (part_of(key) != part || belongs_to_the_old_file(key)) continue;
      if (auto now = first.of(key, value)) outline.metadata.set(key, std::move(*now));
    }
  }
  for (const auto& [name, tensor] : gguf.tensors()) {
    if (layout.leaves_out(name)) continue;
    outline.tensors.push_back({.name = name, .dtype = tensor.dtype, .shape = tensor.shape, .bytes = tensor.bytes});
  }
  std::sort(outline.tensors.begin(), outline.tensors.end(), [&](const SourceTensor& a, const SourceTensor& b) {
    const std::string& file_a = gguf.tensors().find(a.name)->second.file;
    const std::string& file_b = gguf.tensors().find(b.name)->second.file;
    return file_a != file_b ? file_a < file_b : std::less<>()(a.bytes.data(), b.bytes.data());
  });
  return outline;
}

// What the model's makers chose; where they are silent, so is the file.
void set_sampling(GgufMetadata& out, const Json& generation_config, const Sampling& chosen) {
  for (const SamplingSetting& setting : sampling_settings()) {
    const double value = setting.get(chosen);
    const bool is_said = setting.drawing ? generation_config.contains("do_sample") : value != setting.get(Sampling{});
    if (setting.gguf_key == nullptr || !is_said) continue;
    if (setting.is_count()) {
      out.set_scalar(setting.gguf_key, static_cast<std::int32_t>(value));
    } else {
      out.set_scalar(setting.gguf_key, static_cast<float>(value));
    }
  }
  if (!chosen.suppress.empty()) out.set_array("tokenizer.ggml.suppress_tokens", chosen.suppress);
}

// The last part of the path, as people call the model.
std::string folder_name(const std::filesystem::path& path) {
  std::error_code none;
  const std::filesystem::path whole = std::filesystem::weakly_canonical(path, none);
  return whole.filename().string();
}

GgufOutline outline_from_folder(const ModelFiles& files, std::optional<std::string_view> pre) {
  const ModelPlan plan = files.plan();
  const auto config = folder_json(files, "config.json");
  GgufModel gguf = gguf_from_config(*config, (files.path() / "config.json").string(), plan.config);
  GgufOutline outline{.metadata = std::move(gguf.metadata), .tensors = folder_tensors(files, plan, gguf.layout)};
  for (auto& [name, divisors] : gguf.rope_divisors) {
    const std::size_t size = divisors.size();
    outline.tensors.push_back({.name = name, .shape = {size}, .bytes = {}, .values = std::move(divisors)});
  }
  outline.metadata.set_text("general.type", "model");
  outline.metadata.set_text("general.name", folder_name(files.path()));
  if (const auto generation = folder_json(files, "generation_config.json")) {
    set_sampling(outline.metadata, *generation, files.generation().sampling);
  }
  outline.has_tokenizer = files.folder().has("tokenizer.json");
  if (outline.has_tokenizer) {
    set_folder_tokenizer(outline.metadata, files, plan.config.vocab_size, pre);
  } else {
    outline.metadata.set_text("tokenizer.ggml.model", "no_vocab");  // llama.cpp's word for it
  }
  return outline;
}

}  // namespace

std::optional<Json> folder_json(const ModelFiles& files, const char* name) {
  if (!files.folder().has(name)) return {};
  const MappedFile file = files.folder().open(name);
  Json value = parse_json(file.text(), file.path().string());
  if (!value.is_object()) fail("{}: found {}, expected a JSON object", file.path().string(), value.type_name());
  return value;
}

GgufOutline outline_gguf(const ModelFiles& files, std::optional<std::string_view> pre) {
  if (!files.is_gguf()) return outline_from_folder(files, pre);
  const ModelPlan plan = files.plan();
  return outline_from_gguf(files.gguf(), plan.layout, bind_weights(plan, files.tensors()).config.vocab_size);
}

}  // namespace rung

#include "convert/gguf_outline.h"

#include <algorithm>
#include <functional>
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

GgufOutline outline_from_gguf(const Gguf& gguf) {
  GgufOutline outline;
  for (int part = 0; part < 4; ++part) {
    for (const auto& [key, value] : gguf.metadata()) {
      if (part_of(key) == part && !belongs_to_the_old_file(key)) outline.metadata.set(key, value);
    }
  }
  for (const auto& [name, tensor] : gguf.tensors()) {
    outline.tensors.push_back({.name = name, .dtype = tensor.dtype, .shape = tensor.shape, .bytes = tensor.bytes});
  }
  std::sort(outline.tensors.begin(), outline.tensors.end(), [&](const SourceTensor& a, const SourceTensor& b) {
    const std::string& file_a = gguf.tensors().find(a.name)->second.file;
    const std::string& file_b = gguf.tensors().find(b.name)->second.file;
    return file_a != file_b ? file_a < file_b : std::less<>()(a.bytes.data(), b.bytes.data());
  });
  return outline;
}

void set_sampling(GgufMetadata& out, const Sampling& s) {
  out.set_scalar("general.sampling.temp", s.temperature);
  out.set_scalar("general.sampling.top_k", static_cast<std::int32_t>(s.top_k));
  out.set_scalar("general.sampling.top_p", s.top_p);
  out.set_scalar("general.sampling.min_p", s.min_p);
  out.set_scalar("general.sampling.penalty_repeat", s.repeat_penalty);
}

// The last part of the path, as people call the model.
std::string folder_name(const std::filesystem::path& path) {
  std::error_code none;
  const std::filesystem::path whole = std::filesystem::weakly_canonical(path, none);
  return whole.filename().string();
}

GgufOutline outline_from_folder(const ModelFiles& files, std::optional<std::string_view> pre) {
  const ModelPlan plan = files.plan();
  bind_weights(plan, files.tensors());  // refuses what is missing, of a wrong shape, or not understood
  const auto config = folder_json(files, "config.json");
  GgufModel gguf = gguf_from_config(*config, (files.path() / "config.json").string(), plan.config);
  GgufOutline outline{.metadata = std::move(gguf.metadata), .tensors = folder_tensors(files, plan, gguf.layout)};
  if (!gguf.rope_divisors.empty()) {
    const std::size_t size = gguf.rope_divisors.size();
    outline.tensors.push_back(
        {.name = "rope_freqs.weight", .shape = {size}, .bytes = {}, .values = std::move(gguf.rope_divisors)});
  }
  outline.metadata.set_text("general.type", "model");
  outline.metadata.set_text("general.name", folder_name(files.path()));
  if (const auto generation = folder_json(files, "generation_config.json");
      generation && generation->contains("do_sample")) {
    set_sampling(outline.metadata, files.sampling());
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
  bind_weights(files.plan(), files.tensors());
  return outline_from_gguf(files.gguf());
}

}  // namespace rung

// The tensors of a folder under the names that GGUF has for them.  Milestone M5.
#include <fmt/format.h>

#include <array>

#include "convert/gguf_outline.h"
#include "model/known_names.h"
#include "tensor/blocks.h"

namespace rung {

namespace {

// One tensor of a decoder layer: both files' names for it are the same member of their layouts.
struct Place {
  std::string WeightLayout::* name;
  Presence WeightLayout::* bias = nullptr;      // of a matrix that may have one
  Presence WeightLayout::* presence = nullptr;  // of a tensor that not every family has
  bool norm = false;
  bool turned_by_rope = false;
};

constexpr std::array<Place, 13> kPlaces{{
    {.name = &WeightLayout::attention_norm, .norm = true},
    {.name = &WeightLayout::q, .bias = &WeightLayout::qkv_bias, .turned_by_rope = true},
    {.name = &WeightLayout::k, .bias = &WeightLayout::qkv_bias, .turned_by_rope = true},
    {.name = &WeightLayout::v, .bias = &WeightLayout::qkv_bias},
    {.name = &WeightLayout::o, .bias = &WeightLayout::output_bias},
    {.name = &WeightLayout::q_norm, .presence = &WeightLayout::qk_norm, .norm = true},
    {.name = &WeightLayout::k_norm, .presence = &WeightLayout::qk_norm, .norm = true},
    {.name = &WeightLayout::attention_post_norm, .presence = &WeightLayout::post_norms, .norm = true},
    {.name = &WeightLayout::mlp_norm, .norm = true},
    {.name = &WeightLayout::gate, .bias = &WeightLayout::mlp_bias},
    {.name = &WeightLayout::up, .bias = &WeightLayout::mlp_bias},
    {.name = &WeightLayout::down, .bias = &WeightLayout::mlp_bias},
    {.name = &WeightLayout::mlp_post_norm, .presence = &WeightLayout::post_norms, .norm = true},
}};

class Translator {
 public:
  Translator(const ModelFiles& files, const ModelPlan& plan, const WeightLayout& gguf)
      : tensors_(by_known_names(files.tensors(), plan.layout)), plan_(plan), gguf_(gguf) {}

  std::vector<SourceTensor> translate() {
    const WeightLayout& hub = plan_.layout;
    add(hub.embedding, gguf_.embedding, {.name = nullptr});
    for (std::size_t i = 0; i < plan_.config.layers.size(); ++i) {
      for (const Place& place : kPlaces) {
        if (place.presence != nullptr && hub.*place.presence == Presence::never) continue;
        const std::string from = fmt::format("{}{}.{}", hub.layer_prefix, i, hub.*place.name);
        add(from, fmt::format("{}{}.{}", gguf_.layer_prefix, i, gguf_.*place.name), place);
      }
    }
    add(hub.final_norm, gguf_.final_norm, {.name = nullptr, .norm = true});
    if (hub.separate_head != Presence::never) add(hub.head, gguf_.head, {.name = nullptr});
    return std::move(found_);
  }

 private:
  void add(const std::string& from, const std::string& to, const Place& place) {
    const std::size_t head_dim = place.turned_by_rope && gguf_.interleaved_qk ? plan_.config.head_dim : 0;
    if (const FileTensor* t = find_tensor(tensors_, from + ".weight")) {
      found_.push_back({.name = to + ".weight",
                        .dtype = t->dtype,
                        .shape = t->shape,
                        .bytes = t->bytes,
                        .halves_head_dim = head_dim,
                        .added = place.norm && plan_.layout.norm_plus_one ? 1.0f : 0.0f});
    }
    if (place.bias == nullptr || plan_.layout.*place.bias == Presence::never) return;
    if (const FileTensor* t = find_tensor(tensors_, from + ".bias")) {
      found_.push_back({.name = to + ".bias", .dtype = t->dtype, .shape = t->shape, .bytes = t->bytes});
      if (head_dim != 0) interleave(found_.back(), head_dim);
    }
  }

  // The few values of a bias move like the rows of their matrix.
  static void interleave(SourceTensor& bias, std::size_t head_dim) {
    std::vector<float> halves(bias.shape.back());
    bias.read_row(halves, 0);
    bias.values.resize(halves.size());
    for (std::size_t r = 0; r < halves.size(); ++r) bias.values[r] = halves[official_row(r, head_dim)];
    bias.dtype = DType::f32;
    bias.bytes = {};
  }

  TensorMap tensors_;
  const ModelPlan& plan_;
  const WeightLayout& gguf_;
  std::vector<SourceTensor> found_;
};

}  // namespace

std::vector<SourceTensor> folder_tensors(const ModelFiles& files, const ModelPlan& plan, const WeightLayout& gguf) {
  return Translator(files, plan, gguf).translate();
}

}  // namespace rung

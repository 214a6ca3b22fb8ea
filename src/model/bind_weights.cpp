// TensorMap + ModelPlan → Model: names to places, shapes checked, differences of the file formats folded.  Milestone
// M2.
#include <fmt/ranges.h>

#include <cstring>
#include <set>
#include <utility>

#include "base/error.h"
#include "model/known_names.h"
#include "model/model.h"
#include "tensor/blocks.h"

namespace rung {

namespace {

class Binder {
 public:
  Binder(const ModelPlan& plan, const TensorMap& tensors) : layout_(plan.layout), tensors_(tensors) {}

  const FileTensor* find(const std::string& name) {
    const auto it = tensors_.find(name);
    if (it == tensors_.end()) return nullptr;
    used_.insert(it->first);
    return &it->second;
  }

  const FileTensor& require(const std::string& name) {
    const FileTensor* t = find(name);
    if (t == nullptr) fail("{}: tensor '{}' is missing", file(), name);
    return *t;
  }

  template <class Out, class In>
  Weight<Out, In> weight(const std::string& name, std::size_t rows, std::size_t columns, Presence bias) {
    const FileTensor& t = require(name + ".weight");
    check_shape(t, {rows, columns}, fmt::format("{}, {}", Out::name, In::name));
    Weight<Out, In> w;
    w.matrix = {t.name, t.dtype, rows, columns, t.bytes.data(), vector_if(name + ".bias", rows, bias)};
    return w;
  }

  Norm norm(const std::string& name, std::size_t size, float epsilon) {
    Norm n{name, vector(require(name + ".weight"), size), epsilon};
    if (layout_.norm_plus_one) {
      for (float& w : n.weight) w += 1.0f;
    }
    return n;
  }

  std::optional<Norm> norm_if(const std::string& name, std::size_t size, float epsilon, Presence presence) {
    if (presence == Presence::never || (presence == Presence::optional && !tensors_.contains(name + ".weight"))) {
      return {};
    }
    return norm(name, size, epsilon);
  }

  void mark_used(const std::string& name) { find(name); }

  // Types that Rung does not decode: refused by name, before such a tensor is taken for one that is missing or was left
  // out.
  void refuse_other_types() const {
    for (const auto& [name, tensor] : tensors_.others) {
      if (!ignored(name)) find_tensor(tensors_, name);
    }
  }

  // Every tensor must have found its place: one that did not would change what the model computes.
  void finish() const {
    for (const auto& [name, tensor] : tensors_) {
      if (!used_.contains(name) && !ignored(name)) {
        fail("{}: tensor '{}' is not understood: this family has no place for it", tensor.file, name);
      }
    }
  }

 private:
  bool ignored(const std::string& name) const {
    for (const std::string& prefix : layout_.ignored_prefixes) {
      if (name.starts_with(prefix)) return true;
    }
    return name.ends_with(".rotary_emb.inv_freq");  // a buffer that old exporters saved; it is computed here
  }

  std::vector<float> vector_if(const std::string& name, std::size_t size, Presence presence) {
    if (presence == Presence::never || (presence == Presence::optional && !tensors_.contains(name))) return {};
    return vector(require(name), size);
  }

  static std::vector<float> vector(const FileTensor& t, std::size_t size) {
    check_shape(t, {size}, "");
    std::vector<float> values(size);
    decode_row(values, t.dtype, t.bytes.data());
    return values;
  }

  static void check_shape(const FileTensor& t, const std::vector<std::size_t>& expected, const std::string& axes) {
    if (t.shape == expected) return;
    fail("{}: tensor '{}' is [{}], expected [{}]{}", t.file, t.name, fmt::join(t.shape, ", "),
         fmt::join(expected, ", "), axes.empty() ? "" : fmt::format(" ({})", axes));
  }

  std::string file() const { return tensors_.empty() ? "model" : tensors_.begin()->second.file; }

  const WeightLayout& layout_;
  const TensorMap& tensors_;
  std::set<std::string_view> used_;
};

// The rows of q and k are found where the file has them (PackedMatrix::row); their few biases move.
void take_halves_apart(PackedMatrix& w, std::size_t head_dim) {
  w.neighbours_head_dim = head_dim;
  const std::vector<float> in_file = w.bias;
  for (std::size_t r = 0; r < w.bias.size(); ++r) w.bias[r] = in_file[w.row_in_file(r)];
}

DecoderLayer bind_layer(Binder& binder, const ModelPlan& plan, std::size_t index) {
  const ModelConfig& c = plan.config;
  const WeightLayout& l = plan.layout;
  const std::size_t query_dim = c.heads * c.head_dim;
  const std::size_t kv_dim = c.kv_heads * c.head_dim;
  const float epsilon = c.norm_epsilon;
  const auto at = [&](const std::string& name) { return fmt::format("{}{}.{}", l.layer_prefix, index, name); };
  DecoderLayer layer{
      .attention_norm = binder.norm(at(l.attention_norm), c.hidden_size, epsilon),
      .q = binder.weight<QueryDim, Hidden>(at(l.q), query_dim, c.hidden_size, l.qkv_bias),
      .k = binder.weight<KvDim, Hidden>(at(l.k), kv_dim, c.hidden_size, l.qkv_bias),
      .v = binder.weight<KvDim, Hidden>(at(l.v), kv_dim, c.hidden_size, l.qkv_bias),
      .o = binder.weight<Hidden, QueryDim>(at(l.o), c.hidden_size, query_dim, l.output_bias),
      .q_norm = binder.norm_if(at(l.q_norm), c.head_dim, epsilon, l.qk_norm),
      .k_norm = binder.norm_if(at(l.k_norm), c.head_dim, epsilon, l.qk_norm),
      .attention_post_norm = binder.norm_if(at(l.attention_post_norm), c.hidden_size, epsilon, l.post_norms),
      .mlp_norm = binder.norm(at(l.mlp_norm), c.hidden_size, epsilon),
      .mlp = {.gate = binder.weight<Intermediate, Hidden>(at(l.gate), c.intermediate_size, c.hidden_size, l.mlp_bias),
              .up = binder.weight<Intermediate, Hidden>(at(l.up), c.intermediate_size, c.hidden_size, l.mlp_bias),
              .down = binder.weight<Hidden, Intermediate>(at(l.down), c.hidden_size, c.intermediate_size, l.mlp_bias)},
      .mlp_post_norm = binder.norm_if(at(l.mlp_post_norm), c.hidden_size, epsilon, l.post_norms),
  };
  if (l.interleaved_qk) {
    take_halves_apart(layer.q.matrix, c.head_dim);
    take_halves_apart(layer.k.matrix, c.head_dim);
  }
  return layer;
}

}  // namespace

TensorMap by_known_names(const TensorMap& tensors, const WeightLayout& layout) {
  const auto known = [&](const std::string& name) {
    for (const auto& [from, to] : layout.renamed_prefixes) {
      if (name.starts_with(from)) return to + name.substr(from.size());
    }
    return name;
  };
  TensorMap result;
  for (const auto& [name, tensor] : tensors.others) result.others.emplace(known(name), tensor);
  for (const auto& [name, tensor] : tensors) {
    if (!result.emplace(known(name), tensor).second) {
      fail("{}: tensor '{}' is there under two names", tensor.file, name);
    }
  }
  return result;
}

Model bind_weights(ModelPlan plan, const TensorMap& in_file) {
  const TensorMap tensors = by_known_names(in_file, plan.layout);
  Binder binder(plan, tensors);
  binder.refuse_other_types();
  const ModelConfig& c = plan.config;
  const WeightLayout& l = plan.layout;
  Model model;
  model.embedding = binder.weight<Vocab, Hidden>(l.embedding, c.vocab_size, c.hidden_size, Presence::never);
  for (std::size_t i = 0; i < c.layers.size(); ++i) model.layers.push_back(bind_layer(binder, plan, i));
  model.final_norm = binder.norm(l.final_norm, c.hidden_size, c.norm_epsilon);
  model.tied = l.separate_head == Presence::never ||
               (l.separate_head == Presence::optional && !tensors.contains(l.head + ".weight"));
  if (model.tied) {
    binder.mark_used(l.head + ".weight");  // the official implementation ties over whatever the file holds there
    model.head = model.embedding;
  } else {
    model.head = binder.weight<Vocab, Hidden>(l.head, c.vocab_size, c.hidden_size, Presence::never);
  }
  binder.finish();
  model.config = std::move(plan.config);
  return model;
}

namespace {

template <class F>
void for_each_matrix(const Model& m, const F& f) {
  f(m.embedding.matrix);
  if (!m.tied) f(m.head.matrix);
  for (const DecoderLayer& l : m.layers) {
    for (const PackedMatrix* w : {&l.q.matrix, &l.k.matrix, &l.v.matrix, &l.o.matrix, &l.mlp.gate.matrix,
                                  &l.mlp.up.matrix, &l.mlp.down.matrix}) {
      f(*w);
    }
  }
}

template <class F>
void for_each_norm(const Model& m, const F& f) {
  f(m.final_norm);
  for (const DecoderLayer& l : m.layers) {
    f(l.attention_norm);
    f(l.mlp_norm);
    for (const auto* n : {&l.q_norm, &l.k_norm, &l.attention_post_norm, &l.mlp_post_norm}) {
      if (n->has_value()) f(**n);
    }
  }
}

}  // namespace

std::size_t Model::parameters() const {
  std::size_t n = 0;
  for_each_matrix(*this, [&](const PackedMatrix& w) { n += w.rows * w.columns + w.bias.size(); });
  for_each_norm(*this, [&](const Norm& norm) { n += norm.weight.size(); });
  return n;
}

std::size_t Model::weight_bytes() const {
  std::size_t n = 0;
  for_each_matrix(*this, [&](const PackedMatrix& w) { n += w.bytes() + w.bias.size() * sizeof(float); });
  for_each_norm(*this, [&](const Norm& norm) { n += norm.weight.size() * sizeof(float); });
  return n;
}

}  // namespace rung

// TensorMap + ModelPlan → Model: names to places, shapes checked, differences of the file formats folded.  Milestone
// M2.
#include <fmt/ranges.h>

#include <cstring>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/mapped_file.h"
#include "model/known_names.h"
#include "model/model.h"
#include "model/tensor_table.h"
#include "tensor/blocks.h"

namespace rung {

namespace {

std::size_t extent(Hidden, const ModelConfig& c) { return c.hidden_size; }
std::size_t extent(QueryDim, const ModelConfig& c) { return c.heads * c.head_dim; }
std::size_t extent(KvDim, const ModelConfig& c) { return c.kv_heads * c.head_dim; }
std::size_t extent(Vocab, const ModelConfig& c) { return c.vocab_size; }

// The rows of q and k are found where the file has them (PackedMatrix::row); their few biases move.
void take_halves_apart(PackedMatrix& w, std::size_t head_dim) {
  w.neighbours_head_dim = head_dim;
  const std::vector<float> in_file = w.bias;
  for (std::size_t r = 0; r < w.bias.size(); ++r) w.bias[r] = in_file[w.row_in_file(r)];
}

// Fills the places of a Model, one call for each.
class Binder {
 public:
  Binder(const ModelPlan& plan, const TensorMap& tensors, PanelStore& panels)
      : config_(plan.config), layout_(plan.layout), tensors_(tensors), panels_(panels) {}

  template <class Out, class In>
  void operator()(const TensorEntry& entry, LayerIndex layer, Weight<Out, In>& place) {
    const std::string name = spelled(entry, layer, layout_);
    const FileTensor& t = require(name + ".weight");
    const std::size_t rows = extent(Out{}, config_), columns = extent(In{}, config_);
    check_shape(t, {rows, columns}, fmt::format("{}, {}", Out::name, In::name));
    PackedMatrix& w = place.matrix;
    w.name = t.name;
    w.dtype = t.dtype;
    w.rows = rows;
    w.columns = columns;
    w.data = t.bytes.data();
    w.panels = &panels_;
    w.id = panels_.add();
    if (entry.bias != nullptr && is_there(name + ".bias", layout_.*entry.bias)) {
      w.bias = vector(require(name + ".bias"), rows);
    }
    if (entry.turned_by_rope && layout_.interleaved_qk) take_halves_apart(w, config_.head_dim);
  }

  void operator()(const TensorEntry& entry, LayerIndex layer, Norm& place) {
    const std::string name = spelled(entry, layer, layout_);
    place = {name, vector(require(name + ".weight"), entry.along_head ? config_.head_dim : config_.hidden_size),
             config_.norm_epsilon};
    if (layout_.norm_plus_one) {
      for (float& w : place.weight) w += 1.0f;
    }
  }

  void operator()(const TensorEntry& entry, LayerIndex layer, std::optional<Norm>& place) {
    const std::string name = spelled(entry, layer, layout_) + ".weight";
    if (is_there(name, layout_.*entry.norm)) (*this)(entry, layer, place.emplace());
  }

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
  const FileTensor& require(const std::string& name) {
    const auto it = tensors_.find(name);
    if (it == tensors_.end()) fail("{}: tensor '{}' is missing", file(), name);
    used_.insert(it->first);
    return it->second;
  }

  bool is_there(const std::string& name, Presence presence) const {
    return presence == Presence::required || (presence == Presence::optional && tensors_.contains(name));
  }

  bool ignored(const std::string& name) const {
    for (const std::string& prefix : layout_.ignored_prefixes) {
      if (name.starts_with(prefix)) return true;
    }
    if (layout_.leaves_out(name)) return true;
    return name.ends_with(".rotary_emb.inv_freq");  // a buffer that old exporters saved; it is computed here
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

  const ModelConfig& config_;
  const WeightLayout& layout_;
  const TensorMap& tensors_;
  PanelStore& panels_;
  std::set<std::string_view> used_;
};

bool equal(const FileTensor& a, const FileTensor& b) {
  return a.dtype == b.dtype && a.shape == b.shape && a.bytes.size() == b.bytes.size() &&
         std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) == 0;
}

// Leaves a head only where it is not the embedding. (Of another type it stays, whatever its values: the result is the
// same.)
void tie_head(TensorMap& tensors, const WeightLayout& layout) {
  const std::string head_name = spelled(kHeadEntry, {}, layout) + ".weight";
  const std::string embedding_name = spelled(kEmbeddingEntry, {}, layout) + ".weight";
  const auto head = tensors.find(head_name), embedding = tensors.find(embedding_name);
  if (head == tensors.end()) return;
  if (embedding == tensors.end() && !tensors.others.contains(embedding_name)) {
    tensors.emplace(embedding_name, head->second);
    tensors.erase(head);
  } else if (embedding != tensors.end() && equal(head->second, embedding->second)) {
    MappedFile::release(head->second.bytes);
    tensors.erase(head);
  }
}

}  // namespace

std::string spelled(const TensorEntry& entry, LayerIndex layer, const WeightLayout& layout) {
  std::string_view name = layout.spelling == Spelling::hub ? entry.hub : entry.gguf;
  for (const auto& [gguf, here] : layout.other_names) {
    if (gguf == entry.gguf) name = here;
  }
  if (!layer) return std::string(name);
  return fmt::format("{}{}.{}", layout.spelling == Spelling::hub ? "model.layers." : "blk.", *layer, name);
}

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
  if (layout.head == Head::tied) tie_head(result, layout);
  return result;
}

Model bind_weights(ModelPlan plan, const TensorMap& in_file) {
  const TensorMap tensors = by_known_names(in_file, plan.layout);
  Model model;
  model.panels = std::make_unique<PanelStore>();
  Binder binder(plan, tensors, *model.panels);
  binder.refuse_other_types();
  model.layers.resize(plan.config.layers.size());
  for (DecoderLayer& layer : model.layers) layer.mlp = Mlp{plan.config.mlp};
  model.tied = plan.layout.head != Head::own && !tensors.contains(spelled(kHeadEntry, {}, plan.layout) + ".weight");
  for_each_tensor(model, [&](const TensorEntry& entry, LayerIndex layer, auto& place) { binder(entry, layer, place); });
  if (model.tied) model.head = model.embedding;
  binder.finish();
  model.config = std::move(plan.config);
  return model;
}

std::size_t Model::parameters() const {
  std::size_t n = 0;
  for_each_tensor(*this, [&](const TensorEntry&, LayerIndex, const auto& place) {
    if (const PackedMatrix* w = matrix_of(place)) n += w->rows * w->columns + w->bias.size();
    if (const Norm* norm = norm_of(place)) n += norm->weight.size();
  });
  return n;
}

std::size_t Model::weight_bytes() const {
  std::size_t n = 0;
  for_each_tensor(*this, [&](const TensorEntry&, LayerIndex, const auto& place) {
    if (const PackedMatrix* w = matrix_of(place)) n += w->bytes() + w->bias.size() * sizeof(float);
    if (const Norm* norm = norm_of(place)) n += norm->weight.size() * sizeof(float);
  });
  return n;
}

}  // namespace rung

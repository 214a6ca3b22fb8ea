// The tensors of a folder under the names that GGUF has for them.  Milestone M5.
#include "convert/gguf_outline.h"
#include "model/known_names.h"
#include "model/tensor_table.h"

namespace rung {

namespace {

class Translator {
 public:
  Translator(const ModelFiles& files, const ModelPlan& plan, const WeightLayout& gguf)
      : tensors_(by_known_names(files.tensors(), plan.layout)), plan_(plan), gguf_(gguf) {}

  std::vector<SourceTensor> translate(const Model& model) {
    for_each_tensor(model, [&](const TensorEntry& entry, LayerIndex layer, const auto& place) {
      if (norm_of(place) == nullptr && matrix_of(place) == nullptr) return;
      const std::string from = spelled(entry, layer, plan_.layout), to = spelled(entry, layer, gguf_);
      const std::size_t head_dim = entry.turned_by_rope && gguf_.interleaved_qk ? plan_.config.head_dim : 0;
      add(from + ".weight", to + ".weight");
      found_.back().halves_head_dim = head_dim;
      found_.back().added = norm_of(place) != nullptr && plan_.layout.norm_plus_one ? 1.0f : 0.0f;
      if (matrix_of(place) == nullptr || matrix_of(place)->bias.empty()) return;
      add(from + ".bias", to + ".bias");
      if (head_dim != 0) interleave(found_.back(), head_dim);
    });
    return std::move(found_);
  }

 private:
  void add(const std::string& from, const std::string& to) {
    const FileTensor& t = tensors_.find(from)->second;  // the model is bound to it
    found_.push_back({.name = to, .dtype = t.dtype, .shape = t.shape, .bytes = t.bytes});
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
  const Model model = bind_weights(plan, files.tensors());  // refuses what is missing, of a wrong shape, not understood
  return Translator(files, plan, gguf).translate(model);
}

}  // namespace rung

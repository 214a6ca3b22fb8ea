#include "convert/importance.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "engine/chat_prompt.h"
#include "model/forward.h"
#include "model/tensor_table.h"
#include "ops/decorator.h"

namespace rung {

namespace {

// Adds up the squares of what comes into each linear layer, by the layer's matrix.
class ListeningOps : public LookingOps {
 public:
  // `head`: what it answers nobody asks for, so that it is not computed.
  ListeningOps(Ops& inner, const PackedMatrix& head) : LookingOps(inner), head_(head.id) {}

  struct Squares {
    std::vector<double> sums;
    std::size_t rows = 0;
  };

  void do_linear(Matrix out, ConstMatrix x, const PackedMatrix& w) override {
    Squares& squares = by_matrix_[w.id];
    squares.sums.resize(w.columns);
    squares.rows += x.extent<Rows>();
    for (std::size_t r = 0; r < x.extent<Rows>(); ++r) {
      const float* row = x[r].data();
      for (std::size_t i = 0; i < w.columns; ++i) {
        squares.sums[i] += static_cast<double>(row[i]) * static_cast<double>(row[i]);
      }
    }
    if (w.id != head_) inner_.do_linear(out, x, w);
  }

  // Nothing weighs nothing: a column that this text never used may matter in another.
  std::vector<float> means(const PackedMatrix& w) const {
    const auto found = by_matrix_.find(w.id);
    if (found == by_matrix_.end() || found->second.rows == 0) return {};
    double total = 0;
    for (const double sum : found->second.sums) total += sum;
    const double rows = static_cast<double>(found->second.rows),
                 least = 1e-4 * total / rows / static_cast<double>(w.columns);
    std::vector<float> means;
    for (const double sum : found->second.sums) means.push_back(static_cast<float>(sum / rows + least));
    return total > 0 ? means : std::vector<float>{};
  }

 private:
  std::size_t head_;
  std::map<std::size_t, Squares> by_matrix_;
};

void read_window(const Model& model, Ops& ops, std::span<const TokenId> ids) {
  Forward forward(model, ops, ids.size());
  KvCache cache(kv_shape(model.config, ops.cache_type()));
  Batch batch;
  // The head sees every 16th row: room for the logits of a whole window would be half a gigabyte in a model of 262,144
  // tokens.
  batch.add(ids, 0, cache, [&](std::size_t i) { return i % 16 == 15 || i + 1 == ids.size(); });
  forward.run(batch);
}

}  // namespace

Importance measure_importance(const LoadedModel& loaded, Ops& ops, std::string_view text,
                              const ImportanceOptions& options) {
  const Model& model = loaded.model();
  const std::vector<TokenId> ids = encode_prompt(loaded.tokenizer(), text);
  if (ids.empty()) fail("the text for --imatrix is empty: nothing says which columns matter");
  ListeningOps listening(ops, model.head.matrix);
  const std::size_t window = std::min(options.window_tokens, model.config.context);
  const bool bos = loaded.tokenizer().adds_bos();
  if (window < 2 && bos) fail("--imatrix: a context of {} has no room for a token after the BOS", window);
  for (std::size_t at = 0; at < ids.size();) {
    std::vector<TokenId> piece;
    if (bos && at > 0) piece.push_back(ids[0]);
    const std::size_t count = std::min(window - piece.size(), ids.size() - at);
    piece.insert(piece.end(), ids.begin() + static_cast<std::ptrdiff_t>(at),
                 ids.begin() + static_cast<std::ptrdiff_t>(at + count));
    read_window(model, listening, piece);
    at += count;
    if (options.progress) options.progress(at, ids.size());
  }

  Importance importance;
  for_each_tensor(model, [&](const TensorEntry& entry, LayerIndex layer, const auto& place) {
    const PackedMatrix* w = matrix_of(place);
    if (w == nullptr) return;
    if (std::vector<float> means = listening.means(*w); !means.empty()) {
      importance[spelled(entry, layer, {.spelling = Spelling::gguf}) + ".weight"] = std::move(means);
    }
  });
  return importance;
}

}  // namespace rung

// `rung trace`: a text → every intermediate tensor of the forward pass, by name.  Milestone M2.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/signals.h"
#include "cli/command.h"
#include "cli/draw/attention_map.h"
#include "cli/positive.h"
#include "cli/terminal.h"
#include "engine/chat_prompt.h"
#include "engine/device.h"
#include "files/write_safetensors.h"
#include "model/forward.h"
#include "ops/statistics.h"
#include "ops/traced.h"

namespace rung {

namespace {

// In 8 columns: as many digits as there is room for.
std::string in_eight(double value) {
  if (std::isnan(value)) return "     NaN";  // whatever its sign
  std::string text;
  for (int digits = 4; digits > 0; --digits) {
    text = fmt::format("{:>8.{}g}", value, digits);
    if (text.size() <= 8) break;
  }
  return text;
}

// How wide the table's columns are. All tensors begin with the same axis, tokens: where there is no room, its name
// stands over the others.
struct TableLayout {
  std::size_t name = 4, axes = 4, shape = 5;
  std::size_t axes_skipped = 0;  // of each tensor

  explicit TableLayout(const std::vector<OutputTensor>& tensors) {
    fit(tensors);
    if (name + axes + shape + 2 + 3 * 9 <= terminal_columns()) return;
    axes_skipped = 1;
    fit(tensors);
    axes = std::max(axes, std::string_view(title()).size());
  }
  const char* title() const { return axes_skipped == 0 ? "axes" : "tokens, and"; }
  std::string axes_of(std::span<const char* const> all) const {
    return fmt::format("{}", fmt::join(all.subspan(axes_skipped), ","));
  }

 private:
  void fit(const std::vector<OutputTensor>& tensors) {
    axes = 4;
    for (const OutputTensor& tensor : tensors) {
      name = std::max(name, tensor.name.size());
      axes = std::max(axes, fmt::format("{}", fmt::join(std::span(tensor.axes).subspan(axes_skipped), ",")).size());
      shape = std::max(shape, fmt::format("{}", fmt::join(tensor.shape, ",")).size());
    }
  }
};

class Trace : public Command {
 public:
  const char* name() const override { return "trace"; }
  const char* summary() const override { return "every intermediate tensor of the forward pass"; }
  const char* example() const override { return "rung trace \"The fox\" --layer 0"; }
  const char* details() const override {
    return "Checkpoints, in the order in which they are computed:\n"
           "  embedding\n"
           "  layer.N.{attention_norm, q, k, v, q_norm, k_norm, q_rope, k_rope,\n"
           "           attention, attention_output, attention_post_norm, attention_residual,\n"
           "           mlp_norm, gate, up, gated, mlp_output, mlp_post_norm, output}\n"
           "  final_norm\n"
           "  logits\n"
           "q_norm, k_norm and the two post_norms are there where the model has them.\n\n";
  }

  void add_options(Options& options) override {
    text_.add(options, "the text (default: standard input)");
    model_.add(options);
    run_.add(options, false);
    options.add("--layer", layer_, "only this layer, counted from 0").type_name("N").check(zero_or_more);
    options.add("--heads", heads_, "what each head attends to, as a picture: rows look, columns are looked at");
    options.add("--out", out_, "write every tensor by its name, f32, the names of its axes as metadata")
        .type_name("FILE.safetensors");
    options.add("--json", json_, "one JSON object");
  }

  int run() override {
    if (heads_ && !out_.empty()) throw UsageError("--heads and --out: which of them?");
    const std::string text = text_.read();
    const LoadedModel loaded = model_.load();
    const ModelConfig& config = loaded.model().config;
    const std::vector<TokenId> ids = encode_prompt(loaded.tokenizer(), text);
    if (ids.empty()) fail("the text is empty: there is nothing to compute");
    if (ids.size() > config.longest_context()) {
      fail("the text has {} tokens, the context holds {}", ids.size(), config.longest_context());
    }
    if (layer_ && *layer_ >= config.layers.size()) {
      fail("--layer is {}, the model has layers 0 to {}", *layer_, config.layers.size() - 1);
    }

    Device device = run_.open_device();
    const SignalWatch watch;
    const Pass pass{loaded.model(), device.ops(), ids};
    if (heads_) {
      show_heads(pass, loaded.tokenizer());
    } else if (out_.empty()) {
      show_statistics(pass);
    } else {
      write_tensors(pass);
    }
    return 0;
  }

 private:
  struct Pass {
    const Model& model;
    Ops& ops;
    const std::vector<TokenId>& ids;
  };

  bool wanted(const Checkpoint& at) const { return !layer_ || at.layer == static_cast<int>(*layer_); }

  // The forward pass over `ids`, each wanted checkpoint handed to `listener`. Logits of all rows where anybody may look
  // at them.
  void listen(const Pass& pass, std::span<const TokenId> ids, const TracedOps::Listener& listener) const {
    constexpr std::size_t kMostLogitBytes = std::size_t{4} << 30;
    if (!layer_ && ids.size() > kMostLogitBytes / sizeof(float) / pass.model.config.vocab_size) {
      fail("the logits of {} tokens need {}: take a shorter text, or --layer N", ids.size(),
           human_bytes(std::uint64_t{ids.size()} * pass.model.config.vocab_size * sizeof(float)));
    }
    TracedOps traced(pass.ops, [&](const Checkpoint& at, const NamedTensor& x) {
      SignalWatch::check();
      if (wanted(at)) listener(at, x);
    });
    KvCache cache(kv_shape(pass.model.config, pass.ops.cache_type()));
    Batch batch;
    batch.add(ids, 0, cache, [&](std::size_t i) { return !layer_ || i + 1 == ids.size(); });
    Forward(pass.model, traced, pass.ids.size()).run(batch);
  }

  // What the pass will make. The first token alone shows it: every tensor has a row for each token.
  std::vector<OutputTensor> expect_tensors(const Pass& pass) const {
    std::vector<OutputTensor> tensors;
    listen(pass, std::span(pass.ids).first(1), [&](const Checkpoint& at, const NamedTensor& x) {
      tensors.push_back({at.text(), x.shape, {x.axes.begin(), x.axes.end()}, {}});
      tensors.back().shape[0] = pass.ids.size();
    });
    return tensors;
  }

  void write_tensors(const Pass& pass) const {
    const std::vector<OutputTensor> tensors = expect_tensors(pass);
    SafetensorsWriter writer(out_, tensors, {{"ids", fmt::format("{}", fmt::join(pass.ids, ","))}});
    std::uint64_t bytes = 0;
    {
      Progress progress("computing and writing");
      std::size_t done = 0;
      listen(pass, pass.ids, [&](const Checkpoint&, const NamedTensor& x) {
        writer.write(x.values);
        bytes += x.values.size_bytes();
        progress.update(++done, tensors.size(), "tensors");
      });
    }
    writer.commit();
    json_ ? write_line({{"ids", pass.ids}, {"file", out_}, {"tensors", tensors.size()}, {"bytes", bytes}})
          : write_out(fmt::format("{}: {} tensors, {}\n", out_, tensors.size(), human_bytes(bytes)));
  }

  void show_statistics(const Pass& pass) const {
    OrderedJson checkpoints = OrderedJson::array();
    const TableLayout table(json_ ? std::vector<OutputTensor>{} : expect_tensors(pass));
    if (!json_) {
      write_out(fmt::format("{}{:<{}} {:<{}} {:<{}} {:>8} {:>8} {:>8}{}\n", style().dim, "name", table.name,
                            table.title(), table.axes, "shape", table.shape, "min", "max", "rms", style().reset));
    }
    listen(pass, pass.ids, [&](const Checkpoint& at, const NamedTensor& x) {
      const Statistics s = statistics(x.values);
      if (json_) {
        checkpoints.push_back({{"name", at.text()},
                               {"axes", x.axes},
                               {"shape", x.shape},
                               {"min", s.min},
                               {"max", s.max},
                               {"rms", s.rms}});
      } else {
        write_out(fmt::format("{:<{}} {}{:<{}}{} {:<{}} {} {} {}\n", at.text(), table.name, style().dim,
                              table.axes_of(x.axes), table.axes, style().reset,
                              fmt::format("{}", fmt::join(x.shape, ",")), table.shape, in_eight(s.min), in_eight(s.max),
                              in_eight(s.rms)));
      }
    });
    if (json_) write_line({{"ids", pass.ids}, {"checkpoints", std::move(checkpoints)}});
  }

  void show_heads(const Pass& pass, const Tokenizer& tokenizer) const {
    AttentionMaps maps(pass.model.config, pass.ids, tokenizer, json_);
    listen(pass, pass.ids, [&](const Checkpoint& at, const NamedTensor& x) { maps.look_at(at, x); });
    maps.finish();
  }

  ModelOption model_;
  RunOptions run_;
  TextArgument text_;
  std::optional<std::size_t> layer_;
  std::string out_;
  bool heads_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_trace() { return std::make_unique<Trace>(); }

}  // namespace rung

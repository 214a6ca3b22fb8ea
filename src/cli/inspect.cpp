// `rung inspect`: a model's files, and what lies in them.  Milestone M1.
#include "cli/inspect.h"

#include <fmt/format.h>

#include <filesystem>
#include <limits>
#include <optional>

#include "base/error.h"
#include "base/signals.h"
#include "cli/command.h"
#include "cli/hub_model.h"
#include "cli/positive.h"
#include "cli/terminal.h"
#include "files/safetensors.h"

namespace rung {

namespace {

constexpr std::size_t kShownElements = 8;  // of an array, for people; --json has them all

class Inspect : public Command {
 public:
  const char* name() const override { return "inspect"; }
  const char* summary() const override { return "what a model is made of: shapes, memory, tensors, metadata"; }
  const char* example() const override { return "rung inspect --tensor model.layers.0.self_attn.q_proj.weight"; }

  const char* details() const override {
    return "Of owner/name, which is on the hub and not here yet, the headers alone are read: a few\n"
           "hundred kilobytes (GGUF: up to some 16 MB) say whether Rung can run it, in what memory,\n"
           "and with --predict how fast, before anything is brought.\n\n";
  }

  void add_options(Options& options) override {
    options.add("name", name_, "the model: as -m").type_name("MODEL");
    model_.add(options);
    options.add("--tensors", tensors_, "a table of all tensors");
    options.add("--metadata", metadata_, "what the files say about the model");
    options.add("--tensor", tensor_, "one tensor: statistics, a histogram, the first values beside their bytes")
        .type_name("NAME");
    options.add("--context", context_, "reckon the memory for this many tokens (default: what the model was made for)")
        .type_name("N")
        .check(positive);
    cache_.add(options, "reckon it for keys and values kept as f32, f16 or q8_0 (default: f16)");
    options.add("--predict", predict_, "how fast this machine can run it at most: its bandwidth is measured");
    options.add("--json", json_, "one JSON object");
  }

  int run() override {
    if (name_) {
      if (!model_.model.empty()) throw UsageError("the model is named twice");
      model_.model = *name_;
    }
    // What `rung logits --out` and `rung trace --out` write is no model, and can be looked at all the same.
    if (std::filesystem::path(model_.model).extension() == ".safetensors") {
      const Safetensors file = Safetensors::open(model_.model);
      tensors_ = tensors_ || (!metadata_ && tensor_.empty());
      return show(file.tensors(), describe_metadata(file.metadata()));
    }
    const SignalWatch watch;
    std::optional<HubModel> on_hub;  // outlives what looks into it
    if (is_on_hub_only(model_.model)) on_hub.emplace(HubName::parse(model_.model));
    const ModelFiles files = on_hub ? on_hub->files() : model_.open();
    if (!tensors_ && !metadata_ && tensor_.empty()) return show_model(files, on_hub ? &*on_hub : nullptr);
    if (on_hub && !tensor_.empty()) {
      throw UsageError(fmt::format("--tensor needs the weights: bring them first, with: rung pull {}", model_.model));
    }
    const std::size_t elements = json_ ? std::numeric_limits<std::size_t>::max() : kShownElements;
    const bool needs_tensors = tensors_ || !tensor_.empty();  // a folder with a tokenizer alone has none
    static const TensorMap kNone;
    return show(needs_tensors ? files.tensors() : kNone,
                metadata_ ? describe_metadata(files, elements) : OrderedJson());
  }

 private:
  int show_model(const ModelFiles& files, const HubModel* on_hub) const {
    const DType cache = cache_.type().value_or(DType::f16);
    OrderedJson model = describe_model(files, context_, cache, on_hub == nullptr ? Look::whole : Look::headers);
    if (on_hub != nullptr) on_hub->complete(model);
    if (on_hub != nullptr || predict_) {
      model["running"] = describe_running(files, model, cache, predict_ ? Predict::speed : Predict::nothing);
    }
    if (json_) {
      write_line(model);
    } else {
      write_out(model_text(model));
      if (model.contains("running")) write_out(running_text(model["running"]));
    }
    return 0;
  }

  int show(const TensorMap& tensors, const OrderedJson& metadata) const {
    OrderedJson all = OrderedJson::object();
    if (metadata_) all["metadata"] = metadata;
    if (tensors_) all["tensors"] = describe_tensors(tensors);
    if (!tensor_.empty()) {
      const FileTensor* tensor = find_tensor(tensors, tensor_);
      if (tensor == nullptr) fail("no tensor is called '{}' (rung inspect --tensors lists them)", visible(tensor_));
      all["tensor"] = describe_tensor(*tensor);
    }
    if (json_) {
      write_line(all);
      return 0;
    }
    if (metadata_) write_out(metadata_text(all["metadata"]));
    if (tensors_) write_out(tensors_text(all["tensors"]));
    if (!tensor_.empty()) write_out(tensor_text(all["tensor"]));
    return 0;
  }

  std::optional<std::string> name_;
  ModelOption model_;
  bool predict_ = false, tensors_ = false, metadata_ = false, json_ = false;
  std::string tensor_;
  std::size_t context_ = 0;
  CacheOption cache_;
};

}  // namespace

std::unique_ptr<Command> make_inspect() { return std::make_unique<Inspect>(); }

}  // namespace rung

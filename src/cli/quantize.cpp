#include "cli/quantize.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "base/clock.h"
#include "base/error.h"
#include "base/processors.h"
#include "base/signals.h"
#include "cli/positive.h"
#include "cli/terminal.h"
#include "convert/importance.h"
#include "convert/quantize.h"
#include "engine/device.h"

namespace rung {

namespace {

namespace fs = std::filesystem;

// What became of all tensors of one type.
struct TypeSum {
  std::size_t tensors = 0;
  std::uint64_t values = 0, bytes = 0;
  double square_error = 0, square_sum = 0;

  double relative_error() const { return square_sum > 0 ? std::sqrt(square_error / square_sum) : 0.0; }
};

struct Summary {
  std::map<DType, TypeSum> types;
  std::uint64_t bytes_before = 0, bytes = 0, values = 0;

  explicit Summary(const std::vector<QuantizedTensor>& tensors) {
    for (const QuantizedTensor& t : tensors) {
      TypeSum& sum = types[t.to];
      ++sum.tensors;
      sum.values += t.values;
      sum.bytes += t.bytes;
      sum.square_error += t.square_error;
      sum.square_sum += t.square_sum;
      bytes_before += t.bytes_before;
      bytes += t.bytes;
      values += t.values;
    }
  }
  double bits_per_weight() const {
    return 8.0 * static_cast<double>(bytes) / static_cast<double>(std::max<std::uint64_t>(values, 1));
  }
};

class Quantize : public Command {
 public:
  const char* name() const override { return "quantize"; }
  const char* summary() const override { return "write a model as a GGUF file of fewer bits"; }
  const char* example() const override {
    return "rung pull smollm2 && rung quantize smollm2 --to q4_k_m smollm2-q4_k_m.gguf";
  }
  const char* details() const override {
    return "Formats: f32, f16, bf16: plain numbers. q8_0: 8.5 bits a weight, hardly to be told from the original. "
           "q6_k: 6.6. q5_0: 5.5.\n"
           "q4_k_m: 4.8, the usual choice: 4.5 bits, and 6.6 where it matters most. q4_1: 5. q4_0: 4.5.\n"
           "iq4_nl: 4.5, whose sixteen values lie closer around zero.\n"
           "Vectors stay f32; the head (or the embedding, where the model uses it as one) gets 6.6 bits or more.\n\n";
  }

  void add_options(Options& options) override {
    options.add("IN", in_, kModelForms).type_name("IN");
    options.add("OUT", out_, "the file to write; it is whole or not there").type_name("OUT.gguf");
    options.add("--to", to_, "q8_0, q6_k, q5_0, q4_k_m, iq4_nl, q4_1, q4_0, bf16, f16 or f32").type_name("FORMAT");
    options
        .add("--imatrix", imatrix_,
             "a text in which to see, by running the model over it, which columns matter most: they are kept best")
        .type_name("FILE.txt");
    options.add("--pre", pre_, "the pre-tokenizer that tokenizer.json means, where Rung finds no name for it")
        .type_name("NAME");
    options
        .add("--threads", threads_, "how many threads (default: one for each physical core that this process may use)")
        .type_name("N")
        .check(positive);
    options.add("--json", json_, "one JSON object");
  }

  int run() override {
    if (in_.empty()) throw UsageError("which model? (IN, and then OUT.gguf)");
    if (out_.empty()) throw UsageError("where to? (OUT.gguf, after IN)");
    if (to_.empty()) throw UsageError("to which format? (--to, for example --to q4_k_m)");
    const QuantizeFormat& format = chosen_format();
    const Clock::time_point start = Clock::now();
    ModelOption model;
    model.model = in_;
    const ModelFiles files = model.open();
    say_what_is_left_out(files);
    GgufOutline outline = outline_gguf(files, pre_.empty() ? std::nullopt : std::optional<std::string_view>(pre_));
    refuse_to_overwrite(files);
    if (!outline.has_tokenizer) {
      write_error(fmt::format("rung: {} has no tokenizer.json: the file will have no tokenizer\n", visible(in_)));
    }
    outline.metadata.set_scalar("general.quantization_version", std::uint32_t{2});
    outline.metadata.set_scalar("general.file_type", format.file_type);
    const Importance importance = imatrix_.empty() ? Importance{} : measure();
    if (!importance.empty()) {
      outline.metadata.set_text("quantize.imatrix.dataset", fs::path(imatrix_).filename().string());
    }
    const std::vector<DType> types = choose_types(format, outline.tensors, !importance.empty());
    ThreadTeam team(threads_ == 0 ? usable_processors() : threads_);
    const SignalWatch watch;
    std::optional<Progress> progress("writing " + visible(out_));
    const std::vector<QuantizedTensor> tensors =
        quantize(outline, types, importance, out_, team,
                 {.progress = [&](std::uint64_t done,
                                  std::uint64_t total) { progress->update(done / 1'000'000, total / 1'000'000, "MB"); },
                  .check = [] { SignalWatch::check(); }});
    progress.reset();
    const double seconds = seconds_since(start);
    json_ ? print_json(tensors, format, seconds) : print_table(tensors, seconds);
    return 0;
  }

 private:
  Importance measure() const {
    const std::string text = read_file(imatrix_);
    ModelOption named;
    named.model = in_;
    const LoadedModel model(named.open());
    Device device(Device::kFast, threads_);
    const SignalWatch watch;  // so that the line of progress goes
    Progress progress("reading " + visible(imatrix_));
    return measure_importance(model, device.ops(), text, {.progress = [&](std::size_t done, std::size_t total) {
                                SignalWatch::check();
                                progress.update(done, total, "tokens");
                              }});
  }

  const QuantizeFormat& chosen_format() const {
    try {
      return quantize_format(to_);
    } catch (const Error& e) {
      throw UsageError(fmt::format("--to: {}", e.what()));
    }
  }

  // A lost original does not come back: not the weights, nor what else of a model's folder or of --imatrix was read.
  void refuse_to_overwrite(const ModelFiles& files) const {
    std::error_code none;
    const auto same = [&](const fs::path& a, const fs::path& b) { return fs::equivalent(a, b, none); };
    bool input = same(files.path(), out_) || same(imatrix_, out_);
    for (const auto& [name, tensor] : files.tensors()) input = input || same(tensor.file, out_);
    const bool in_folder =
        fs::is_directory(files.path(), none) && same(files.path(), fs::absolute(out_, none).parent_path());
    input = input || (in_folder && fs::exists(out_, none));
    if (input) fail("{}: is what would be read: choose another file to write", out_);
  }

  void print_table(const std::vector<QuantizedTensor>& tensors, double seconds) const {
    const Summary sum(tensors);
    for (const auto& [type, t] : sum.types) {
      const std::string error = t.square_error > 0 ? fmt::format("{:.3f}% off", 100 * t.relative_error()) : "";
      write_out(fmt::format("{}{:<6}{}{:>5} tensors {:>10}   {}{}{}\n", style().bold, info(type).name, style().reset,
                            t.tensors, human_bytes(t.bytes), style().dim, error, style().reset));
    }
    write_out(fmt::format("{}: {}, {:.2f} bits a weight ({} before) in {:.1f} s\n", visible(out_),
                          human_bytes(sum.bytes), sum.bits_per_weight(), human_bytes(sum.bytes_before), seconds));
  }

  void print_json(const std::vector<QuantizedTensor>& tensors, const QuantizeFormat& format, double seconds) const {
    const Summary sum(tensors);
    OrderedJson types = OrderedJson::object(), list = OrderedJson::array();
    for (const auto& [type, t] : sum.types) {
      types[std::string(info(type).name)] = {
          {"tensors", t.tensors}, {"weights", t.values}, {"bytes", t.bytes}, {"relative_error", t.relative_error()}};
    }
    for (const QuantizedTensor& t : tensors) {
      const double rms = t.values == 0 ? 0.0 : std::sqrt(t.square_error / static_cast<double>(t.values));
      list.push_back({{"name", t.name},
                      {"from", info(t.from).name},
                      {"to", info(t.to).name},
                      {"weights", t.values},
                      {"bytes", t.bytes},
                      {"rms_error", rms}});
    }
    write_line({{"in", in_},
                {"out", out_},
                {"format", format.name},
                {"bytes", sum.bytes},
                {"bytes_before", sum.bytes_before},
                {"weights", sum.values},
                {"bits_per_weight", sum.bits_per_weight()},
                {"seconds", seconds},
                {"types", std::move(types)},
                {"tensors", std::move(list)}});
  }

  std::string in_, out_, to_, pre_, imatrix_;
  std::size_t threads_ = 0;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_quantize() { return std::make_unique<Quantize>(); }

}  // namespace rung

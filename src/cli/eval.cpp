// `rung eval`: a text → how well a model foretells it: its perplexity.  Milestone M5.
#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "base/error.h"
#include "base/signals.h"
#include "cli/command.h"
#include "cli/pieces.h"
#include "cli/terminal.h"
#include "cli/window_options.h"
#include "engine/device.h"
#include "measure/perplexity.h"

namespace rung {

namespace {

class Eval : public Command {
 public:
  const char* name() const override { return "eval"; }
  const char* summary() const override { return "how well a model foretells a text: its perplexity"; }
  const char* example() const override { return "rung eval /usr/share/common-licenses/GPL-3"; }
  const char* details() const override {
    return "A token's loss is -ln of the probability that the model gave it, perplexity is\n"
           "e to the mean loss: one of 8 is as unsure as a choice among 8 equals. The text\n"
           "is cut as by llama.cpp's perplexity tool, and the second half of each window\n"
           "counts; with --stride it is cut as in transformers' documentation. The error\n"
           "takes the tokens for independent of each other. Perplexities of models with\n"
           "different tokens do not compare; their bits a byte do.\n\n";
  }

  void add_options(Options& options) override {
    options.add("file", file_, "the text's file (default, and -: standard input)").type_name("FILE");
    model_.add(options);
    run_.add(options, false);
    windows_.add(options);
    options.add("--json", json_, "one JSON object");
  }

  int run() override {
    if (file_.empty() && stdin_is_terminal()) {
      throw UsageError("no text: give its file as the last argument, or the text on standard input");
    }
    if (file_.empty()) file_ = "-";
    const std::string text = read_text(file_);
    check_text(text, file_);  // before a model is loaded for it
    const LoadedModel loaded = model_.load();
    const WindowedText cut = windows_.cut(text, file_, loaded.tokenizer(), loaded.model().config);
    Device device = run_.open_device();
    const SignalWatch watch;
    const Evaluation result = measure(loaded, device, cut);
    if (result.windows > 0) json_ ? print_json(loaded, device, cut, result) : print(loaded, device, cut, result);
    return SignalWatch::caught() == 0 ? 0 : 128 + SignalWatch::caught();
  }

 private:
  static Evaluation measure(const LoadedModel& loaded, Device& device, const WindowedText& cut) {
    Progress progress("reading");
    return evaluate(loaded.model(), device, cut, [&](const Evaluation& so_far) {
      if (so_far.losses.count() > 0) {
        progress.update(so_far.windows, cut.windows.size(),
                        fmt::format("windows, perplexity {:.4f}", so_far.losses.perplexity()));
      }
      return SignalWatch::caught() == 0;
    });
  }

  // The bytes are those of the tokens that counted, weighted as their losses were.
  static double bits_per_byte(const Tokenizer& tokenizer, const WindowedText& cut, const Evaluation& e) {
    double bytes = 0;
    for (std::size_t w = 0; w < e.windows; ++w) {
      const Window& window = cut.windows[w];
      for (std::size_t t = window.first_counted; t < window.end; ++t) {
        bytes += window.weight * static_cast<double>(tokenizer.piece(cut.ids[t]).size());
      }
    }
    return bytes > 0 ? e.losses.sum() / std::numbers::ln2 / bytes : 0;
  }
  static double tokens_per_second(const Evaluation& e) {
    return e.seconds > 0 ? static_cast<double>(e.read_tokens) / e.seconds : 0;
  }

  void print(const LoadedModel& loaded, const Device& device, const WindowedText& cut, const Evaluation& e) const {
    write_out(fmt::format("{}: device {}, kernels {}, {}\n", loaded.files().path().filename().string(), device.name(),
                          device.kernels(), count_of(device.threads(), "thread")));
    write_out(fmt::format("{}: {}; {}\n", visible(file_), count_of(cut.ids.size(), "token"),
                          windows_.describe(cut, loaded.model().config)));
    if (e.windows < cut.windows.size()) {
      write_out(fmt::format("interrupted: what follows is about the first {}\n", count_of(e.windows, "window")));
    }
    write_out(fmt::format("perplexity {}{:.4f} ± {:.4f}{}\n", style().bold, e.losses.perplexity(),
                          e.losses.perplexity_error(), style().reset));
    write_out(fmt::format("{:.5f} ± {:.5f} nats a token, {:.4f} bits a byte, {:.1f} tok/s\n", e.losses.mean(),
                          e.losses.standard_error(), bits_per_byte(loaded.tokenizer(), cut, e), tokens_per_second(e)));
  }

  void print_json(const LoadedModel& loaded, const Device& device, const WindowedText& cut, const Evaluation& e) const {
    OrderedJson line{{"model", loaded.files().path().string()},
                     {"device", device.name()},
                     {"kernels", device.kernels()},
                     {"threads", device.threads()},
                     {"file", file_}};
    windows_.add_json(line, cut, loaded.model().config);
    line["windows"] = e.windows;
    line["interrupted"] = e.windows < cut.windows.size();
    line["counted_tokens"] = e.losses.count();
    line["perplexity"] = e.losses.perplexity();
    line["perplexity_error"] = e.losses.perplexity_error();
    line["loss"] = e.losses.mean();
    line["loss_error"] = e.losses.standard_error();
    line["bits_per_byte"] = bits_per_byte(loaded.tokenizer(), cut, e);
    line["tokens_per_second"] = tokens_per_second(e);
    write_line(line);
  }

  ModelOption model_;
  RunOptions run_;
  WindowOptions windows_;
  std::string file_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_eval() { return std::make_unique<Eval>(); }

}  // namespace rung

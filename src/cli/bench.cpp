// `rung bench`: how fast a model reads (prefill) and writes (decode), and how many bytes of it that moves.  Milestones M4, M6.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "cli/child.h"
#include "cli/command.h"
#include "cli/pieces.h"
#include "cli/positive.h"
#include "cli/terminal.h"
#include "engine/device.h"
#include "engine/generate.h"
#include "engine/session.h"

namespace rung {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Tokens without a meaning: speed does not depend on it.
std::vector<TokenId> synthetic_tokens(std::size_t count, std::size_t vocab_size) {
  std::vector<TokenId> ids(count);
  for (std::size_t i = 0; i < count; ++i) ids[i] = static_cast<TokenId>((i * 7919 + 1) % vocab_size);
  return ids;
}

// Bytes of weights that one pass over any number of rows reads: all of them, but of an embedding that is not the head as well only some
// rows.
std::uint64_t weight_bytes_of_a_pass(const Model& model) {
  const PackedMatrix& embedding = model.embedding.matrix;
  return model.weight_bytes() - (model.tied ? 0 : embedding.bytes());
}

// Bytes of keys and values that a token at the end of `context` tokens reads.
std::uint64_t cache_bytes_of_a_token(const ModelConfig& c, DType cache, std::size_t context) {
  std::uint64_t bytes = 0;
  for (const LayerConfig& layer : c.layers) {
    const std::size_t window = layer.attention.window_tokens;
    bytes += 2 * c.kv_heads * kv_shape(c, cache).bytes_per_head() * (window == 0 ? context : std::min(window, context));
  }
  return bytes;
}

struct Run {
  Timing prefill, decode;
};

class Bench : public Command {
 public:
  const char* name() const override { return "bench"; }
  const char* summary() const override { return "how fast a model runs here"; }
  const char* example() const override { return "rung bench --no-cache"; }
  const char* details() const override {
    return "Prefill reads a prompt, its tokens all at once; decode writes one token after the\n"
           "other. Each is measured --repeat times on synthetic tokens, and the median shown.\n"
           "GB/s: in decode, the weights and the cached keys and values that a token needs,\n"
           "times tok/s; in prefill, the weights once for each piece of up to 256 tokens.\n"
           "Sampling and text are not part of it.\n\n";
  }

  void add_options(CLI::App& app) override {
    model_.add(app);
    run_.add(app);
    app.add_option("--prompt-tokens", prompt_tokens_, "how many tokens prefill reads")
        ->type_name("N")
        ->capture_default_str()
        ->check(positive);
    app.add_option("--decode-tokens", decode_tokens_, "how many tokens decode writes (default: 32, or what three seconds are enough for)")
        ->type_name("N")
        ->check(positive);
    app.add_option("--repeat", repeat_, "how many runs")->type_name("N")->capture_default_str()->check(positive);
    app.add_flag("--no-cache", no_cache_, "without the KV cache: each token computes everything before it anew");
    app.add_flag("--json", json_, "one JSON object");
  }

  int run() override {
    const LoadedModel loaded(model_.open(), model_.chosen_pre());
    const Model& model = loaded.model();
    const std::size_t context = run_.context == 0 ? model.config.context : run_.context;
    if (context < prompt_tokens_ || context - prompt_tokens_ < decode_tokens_.value_or(1)) {
      fail("--prompt-tokens {} and --decode-tokens {} are more than the context holds: {}", prompt_tokens_, decode_tokens_.value_or(1),
           context);
    }
    const std::size_t steps = std::min(decode_tokens_.value_or(32), context - prompt_tokens_);
    Device device(run_.device, run_.threads, run_.cache.type());
    const SignalWatch watch;
    std::vector<Run> runs;
    measure(model, device.ops(), 1, 1);  // brings the weights into memory
    {
      Progress progress("measuring");
      for (std::size_t i = 0; i < repeat_; ++i) {
        progress.update(i, repeat_, "runs");
        runs.push_back(measure(model, device.ops(), prompt_tokens_, steps));
      }
    }
    const Run median{median_of(runs, &Run::prefill), median_of(runs, &Run::decode)};
    json_ ? print_json(loaded, device, median) : print(loaded, device, median);
    return 0;
  }

 private:
  Run measure(const Model& model, Ops& ops, std::size_t prompt_tokens, std::size_t steps) const {
    constexpr double kEnoughSeconds = 3;  // where nobody said how many tokens
    const std::vector<TokenId> ids = synthetic_tokens(prompt_tokens + steps, model.config.vocab_size);
    Session session(model, ops, {.context = run_.context, .keep_cache = !no_cache_});
    Run run;
    const auto check_signal = [](std::size_t, std::size_t) {
      SignalWatch::check();
      return true;
    };
    const Clock::time_point start = Clock::now();
    session.feed(std::span(ids).first(prompt_tokens), check_signal);
    run.prefill = {prompt_tokens, seconds_since(start)};

    const Clock::time_point decode_start = Clock::now();
    while (run.decode.tokens < steps && (decode_tokens_ || run.decode.seconds < kEnoughSeconds)) {
      session.feed(std::span(ids).subspan(prompt_tokens + run.decode.tokens, 1), check_signal);
      ++run.decode.tokens;
      run.decode.seconds = seconds_since(decode_start);
    }
    return run;
  }

  static Timing median_of(std::vector<Run> runs, Timing Run::* part) {
    std::sort(runs.begin(), runs.end(),
              [&](const Run& a, const Run& b) { return (a.*part).tokens_per_second() < (b.*part).tokens_per_second(); });
    return runs[runs.size() / 2].*part;
  }

  double prefill_gb_per_s(const Model& model, const Run& run) const {
    const std::size_t pieces = (run.prefill.tokens + SessionOptions{}.chunk_tokens - 1) / SessionOptions{}.chunk_tokens;
    return static_cast<double>(weight_bytes_of_a_pass(model) * pieces) / run.prefill.seconds / 1e9;
  }

  // Of the token in the middle of the run. Without the cache there is none to read; what is computed anew comes on top of these bytes.
  std::uint64_t bytes_per_token(const Model& model, DType cache, const Run& run) const {
    const std::size_t context = prompt_tokens_ + run.decode.tokens / 2;
    return weight_bytes_of_a_pass(model) + (no_cache_ ? 0 : cache_bytes_of_a_token(model.config, cache, context));
  }

  static double gb_per_s(std::uint64_t bytes, const Timing& timing) {
    return static_cast<double>(bytes) * timing.tokens_per_second() / 1e9;
  }

  void print_json(const LoadedModel& loaded, const Device& device, const Run& run) const {
    const Model& model = loaded.model();
    const std::uint64_t bytes = bytes_per_token(model, device.cache_type(), run);
    write_line({{"model", loaded.files().path().string()},
                {"family", model.config.family},
                {"parameters", model.parameters()},
                {"weight_bytes", model.weight_bytes()},
                {"device", device.name()},
                {"kernels", device.kernels()},
                {"threads", device.threads()},
                {"cache", !no_cache_},
                {"cache_type", info(device.cache_type()).name},
                {"repeat", repeat_},
                {"prefill",
                 {{"tokens", run.prefill.tokens},
                  {"seconds", run.prefill.seconds},
                  {"tokens_per_second", run.prefill.tokens_per_second()},
                  {"gb_per_s", prefill_gb_per_s(model, run)}}},
                {"decode",
                 {{"tokens", run.decode.tokens},
                  {"context", prompt_tokens_ + run.decode.tokens},
                  {"seconds", run.decode.seconds},
                  {"tokens_per_second", run.decode.tokens_per_second()},
                  {"bytes_per_token", bytes},
                  {"gb_per_s", gb_per_s(bytes, run.decode)}}}});
  }

  void print(const LoadedModel& loaded, const Device& device, const Run& run) const {
    const Model& model = loaded.model();
    write_out(fmt::format("{}: {}, {:.1f} M parameters, {}\n", loaded.files().path().filename().string(), model.config.family,
                          static_cast<double>(model.parameters()) / 1e6, human_bytes(model.weight_bytes())));
    write_out(fmt::format("device {}, kernels {}, {}, {}{}\n", device.name(), device.kernels(), count_of(device.threads(), "thread"),
                          no_cache_ ? "no KV cache, rounded as " : "KV cache ", info(device.cache_type()).name));
    const auto line = [&](std::string_view what, const Timing& t, double gb, const std::string& rest) {
      write_out(fmt::format("{:<8} {:>5} tokens  {}{:>9.1f} tok/s{}  {:>7.2f} GB/s{}\n", what, t.tokens, style().bold,
                            t.tokens_per_second(), style().reset, gb, rest));
    };
    line("prefill", run.prefill, prefill_gb_per_s(model, run), "");
    const std::uint64_t bytes = bytes_per_token(model, device.cache_type(), run);
    line("decode", run.decode, gb_per_s(bytes, run.decode),
         fmt::format("  {} a token, context {} to {}", human_bytes(bytes), prompt_tokens_, prompt_tokens_ + run.decode.tokens));
  }

  ModelOption model_;
  RunOptions run_;
  std::size_t prompt_tokens_ = 64;
  std::optional<std::size_t> decode_tokens_;
  std::size_t repeat_ = 3;
  bool no_cache_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_bench() { return std::make_unique<Bench>(); }

}  // namespace rung

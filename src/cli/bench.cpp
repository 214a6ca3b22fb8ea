// `rung bench`: how fast a model reads (prefill) and writes (decode) here, beside what the machine could do at most.
// Milestones M4, M6.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/signals.h"
#include "cli/bench_metal.h"
#include "cli/bench_words.h"
#include "cli/command.h"
#include "cli/pieces.h"
#include "cli/positive.h"
#include "cli/terminal.h"
#include "engine/device.h"
#include "measure/bench_runs.h"

namespace rung {

namespace {

class Bench : public Command {
 public:
  const char* name() const override { return "bench"; }
  const char* summary() const override { return "how fast a model runs here"; }
  const char* example() const override { return "rung bench --predict"; }
  const char* details() const override {
    return "Prefill reads a prompt, its tokens all at once; decode writes one token after the\n"
           "other, in as many sequences at once as --batches says. Each is measured --repeat\n"
           "times, on tokens without a meaning, and the median shown.\n"
           "GB/s counts the weights once a pass, and the keys and values that it reads; GOP/s\n"
           "a product and its addition as two. The limit is what the ceilings allow: bytes ÷\n"
           "bandwidth or operations ÷ peak, whichever takes longer. The ceilings are measured\n"
           "in the same run, medians, too: what meets better moments may pass them, and so may\n"
           "a model that fits into the last cache. Decode's share of the bandwidth does not hang on\n"
           "moments: after each run there is one in turns with plain reading, a step, then as many\n"
           "bytes, and the share is that of what plain reading reached.\n"
           "Sampling and text are not part of it.\n"
           "--predict --device metal --chip \"M2 Pro\" foretells a Mac's speed from public numbers, and\n"
           "says how far such a formula is off; it runs everywhere.\n\n";
  }

  void add_options(Options& options) override {
    model_.add(options);
    run_.add(options);
    options.add("--prompt-tokens", prompts_, "how many tokens prefill reads (default: 512)").type_name("N,...");
    options.add("--contexts", contexts_, "how many tokens stand before those that decode writes (default: 64,1024)")
        .type_name("N,...");
    options
        .add("--batches", batches_,
             "how many sequences write together, at the first of the contexts (default: 1,2,4,8,16)")
        .type_name("N,...");
    options
        .add("--decode-tokens", decode_tokens_,
             "how many tokens decode writes (default: 32, or what fits into a quarter of a second)")
        .type_name("N")
        .check(positive);
    options.add("--repeat", repeat_, "how many runs (default: 3)").type_name("N").check(positive);
    options.add("--no-cache", no_cache_, "without the KV cache: each token computes everything before it anew");
    options.add("--ceilings", show_ceilings_, "how the machine's bandwidth was measured: every way to read");
    options.add("--predict", predict_, "say first what the limit allows, and why; then measure");
    options
        .add("--chip", chip_,
             "with --predict --device metal: foretell decode on a Mac's chip, from public numbers; no Mac is needed")
        .type_name("NAME")
        .check([](const std::string& text) {
          return find_mac_chip(text) != nullptr
                     ? std::string()
                     : fmt::format("found '{}', expected one of: {}", visible(text), mac_chip_names());
        });
    options.add("--verbs", verbs_, "how much of the time each verb of the pass takes: a clock around every one");
    options.add("--out", out_, "the roofline as a picture (SVG)").type_name("FILE.svg");
    options.add("--json", json_, "one JSON object");
  }

  int run() override {
    if (!chip_.empty()) refuse_what_no_chip_foretells();
    const LoadedModel loaded = model_.load();
    if (!chip_.empty()) return predict_for_chip(loaded);
    Device device = run_.open_device();
    const SignalWatch watch;
    const std::vector<BenchCase> cases = cases_for(loaded.model());
    std::optional<AtomicFile> picture;  // a place that cannot be written to is an error before anything is measured
    if (!out_.empty()) picture.emplace(out_);
    CeilingMeter meter(device.team(), show_ceilings_ ? CeilingMeter::Reads::all : CeilingMeter::Reads::likely);
    for (int i = 0; i < 5; ++i) measure_ceilings(meter);
    const Ceilings before = meter.ceilings();
    if (!json_) print_head(loaded, device, meter);

    TimedOps timed(device.ops());
    const BenchSetting setting{loaded.model(), verbs_ ? timed : device.ops(), run_.context, !no_cache_,
                               verbs_ ? &timed : nullptr};
    std::vector<std::unique_ptr<BenchRun>> runs;
    for (const BenchCase& what : cases) runs.push_back(make_bench_run(setting, what));
    if (predict_ && !json_) write_out(prediction(loaded.model(), cases, costs_of(runs), meter.ceilings()));
    make_bench_run(setting, {.prefill = true, .tokens = 1})->run();  // brings the weights into memory
    measure(runs, meter);

    std::vector<BenchResult> results;
    for (const auto& r : runs) results.push_back(r->result());
    if (json_) {
      print_json(loaded, device, results, meter);
    } else {
      write_out(results_table(results, meter.ceilings(), predict_));
      if (verbs_) write_out(verbs_table(results, meter.ceilings()));
      // What was measured on the way counts, too: whoever compares must see what the shares are of.
      if (differ(before, meter.ceilings())) write_out("\nover the whole run, " + ceilings_line(meter.ceilings()));
    }
    if (picture) {
      picture->write(drawn(loaded, device, results, meter.ceilings()).svg());
      picture->commit();
    }
    return 0;
  }

 private:
  void refuse_what_no_chip_foretells() const {
    if (!predict_ || run_.device != Device::kMetal) {
      throw UsageError("--chip: a prediction for a Mac: it needs --predict and --device metal, too");
    }
    const std::pair<bool, const char*> others[] = {{!prompts_.empty(), "--prompt-tokens"},
                                                   {!batches_.empty(), "--batches"},
                                                   {decode_tokens_.has_value(), "--decode-tokens"},
                                                   {run_.threads != 0, "--threads"},
                                                   {repeat_.has_value(), "--repeat"},
                                                   {no_cache_, "--no-cache"},
                                                   {show_ceilings_, "--ceilings"},
                                                   {verbs_, "--verbs"},
                                                   {!out_.empty(), "--out"}};
    for (const auto& [given, name] : others) {
      if (given) throw UsageError(fmt::format("--chip foretells decode of one sequence, found {}", name));
    }
  }

  int predict_for_chip(const LoadedModel& loaded) const {
    std::vector<std::size_t> contexts;
    for (const BenchCase& c : cases_for(loaded.model())) {
      const bool again = std::find(contexts.begin(), contexts.end(), c.context) != contexts.end();
      if (!c.prefill && !again) contexts.push_back(c.context);
    }
    print_metal_prediction(loaded, {.chip = find_mac_chip(chip_),
                                    .cache_type = run_.cache.type().value_or(DType::f16),
                                    .contexts = contexts,
                                    .json = json_});
    return 0;
  }

  // The reference backend and --no-cache take their time: they get shorter prompts.
  std::vector<BenchCase> cases_for(const Model& model) const {
    const bool slow = no_cache_ || run_.device == Device::kReference;
    const std::size_t context = run_.context == 0 ? model.config.context : run_.context;
    const std::size_t steps = decode_tokens_.value_or(1), room = decode_tokens_.value_or(32);
    const auto fits = [&](std::size_t wanted) {
      return std::max<std::size_t>(1, std::min(wanted, context - std::min(context - 1, room)));
    };
    std::vector<std::size_t> prompts = prompts_, contexts = contexts_, batches = batches_;
    if (prompts.empty()) prompts = {fits(slow ? 64 : 512)};
    if (contexts.empty()) contexts = {fits(64)};
    if (contexts_.empty() && !slow && fits(1024) == 1024) contexts.push_back(1024);
    if (batches.empty() && slow) batches = {1};
    if (batches.empty()) batches = {1, 2, 4, 8, 16};
    if (run_.context > model.config.longest_context()) {
      fail("--context is {}, expected at most the model's {}", run_.context, model.config.longest_context());
    }
    if (no_cache_ && (batches.size() != 1 || batches[0] != 1)) {
      throw UsageError("--no-cache: one sequence at a time, found --batches");
    }
    std::vector<BenchCase> cases;
    for (const std::size_t tokens : prompts) cases.push_back({.prefill = true, .tokens = tokens});
    const auto decode = [&](std::size_t before, std::size_t batch) {
      const std::size_t at_most = before < context ? std::min<std::size_t>(32, context - before) : 1;
      cases.push_back({.prefill = false,
                       .tokens = decode_tokens_.value_or(0),
                       .at_most = at_most,
                       .context = before,
                       .batch = batch});
    };
    for (const std::size_t before : contexts) decode(before, batches[0]);
    for (std::size_t i = 1; i < batches.size(); ++i) decode(contexts[0], batches[i]);
    constexpr std::size_t kMostTogether = 1024;
    for (const BenchCase& c : cases) {
      if (c.batch > kMostTogether) {
        throw UsageError(fmt::format("--batches is {}, expected at most {}", c.batch, kMostTogether));
      }
      const std::size_t needed = c.prefill ? c.tokens : c.context + steps;
      if (needed > context || needed < c.context) {
        fail("{} needs {} tokens of context, the context holds {}", name_of(c), needed, context);
      }
    }
    return cases;
  }

  static bool differ(const Ceilings& a, const Ceilings& b) {
    const auto by_a_hundredth = [](double x, double y) { return std::abs(x / y - 1) > 0.01; };
    return by_a_hundredth(a.read_gb_per_s, b.read_gb_per_s) || by_a_hundredth(a.int8_gop_per_s, b.int8_gop_per_s) ||
           by_a_hundredth(a.f32_gflop_per_s, b.f32_gflop_per_s) ||
           by_a_hundredth(a.bf16_gflop_per_s, b.bf16_gflop_per_s);
  }

  static void measure_ceilings(CeilingMeter& meter) {
    SignalWatch::check();
    meter.measure();
  }

  std::size_t repeat() const { return repeat_.value_or(3); }

  // Round after round, so that a slow moment of the machine meets all of them.
  void measure(std::vector<std::unique_ptr<BenchRun>>& runs, CeilingMeter& meter) const {
    Progress progress("measuring");
    for (std::size_t i = 0; i < repeat(); ++i) {
      for (std::size_t r = 0; r < runs.size(); ++r) {
        progress.update(i * runs.size() + r, repeat() * runs.size(), "runs");
        runs[r]->run();
        runs[r]->run_in_turns(meter);
      }
      measure_ceilings(meter);
    }
  }

  static std::vector<PassCost> costs_of(const std::vector<std::unique_ptr<BenchRun>>& runs) {
    std::vector<PassCost> costs;
    for (const auto& r : runs) costs.push_back(r->expected_cost());
    return costs;
  }

  OrderedJson to_json(const BenchResult& r, const Ceilings& ceilings) const {
    OrderedJson out;
    if (!r.what.prefill) out = {{"context", r.what.context}, {"batch", r.what.batch}};
    out["tokens"] = r.tokens;
    out["seconds"] = r.seconds;
    out["tokens_per_second"] = r.tokens_per_second();
    out["predicted_tokens_per_second"] = static_cast<double>(r.tokens) / limit_of(r.cost, ceilings).seconds();
    out["bytes_per_token"] = r.bytes_per_token();
    out["gb_per_s"] = r.gb_per_s();
    out["gop_per_s"] = r.gop_per_s();
    out["bandwidth_share"] = r.bandwidth_share(ceilings);
    if (r.in_turns) {
      out["in_turns"] = {{"gb_per_s", r.in_turns->gb_per_s}, {"read_gb_per_s", r.in_turns->read_gb_per_s}};
    }
    out["int8_share"] = r.cost.int8_operations / r.seconds / 1e9 / ceilings.int8_gop_per_s;
    for (std::size_t v = 0; verbs_ && v < PassTimes::kNames.size(); ++v) {
      out["verbs"][std::string(PassTimes::kNames[v])] = r.times.seconds[v];
    }
    if (verbs_) out["linear_peak_share"] = r.linear_peak_share(ceilings);
    return out;
  }

  void print_json(const LoadedModel& loaded, const Device& device, const std::vector<BenchResult>& results,
                  const CeilingMeter& meter) const {
    const Model& model = loaded.model();
    OrderedJson out{{"model", loaded.files().path().string()},
                    {"family", model.config.family},
                    {"parameters", model.parameters()},
                    {"weight_bytes", model.weight_bytes()},
                    {"device", device.name()},
                    {"kernels", device.kernels()},
                    {"threads", device.threads()},
                    {"cache", !no_cache_},
                    {"cache_type", info(device.cache_type()).name},
                    {"repeat", repeat()}};
    const Ceilings ceilings = meter.ceilings();
    const auto first = [&](bool prefill) {
      return *std::find_if(results.begin(), results.end(),
                           [&](const BenchResult& r) { return r.what.prefill == prefill; });
    };
    out["prefill"] = to_json(first(true), ceilings);
    out["decode"] = to_json(first(false), ceilings);
    for (const BenchResult& r : results) out[r.what.prefill ? "prefills" : "decodes"].push_back(to_json(r, ceilings));
    out["ceilings"] = {{"read_gb_per_s", ceilings.read_gb_per_s},
                       {"int8_gop_per_s", ceilings.int8_gop_per_s},
                       {"bf16_gflop_per_s", ceilings.bf16_gflop_per_s},
                       {"f32_gflop_per_s", ceilings.f32_gflop_per_s}};
    for (const ReadPattern& r : meter.reads()) {
      if (!show_ceilings_) break;
      out["ceilings"]["reads"].push_back({{"streams", r.streams},
                                          {"near_bytes", r.near_bytes},
                                          {"far_bytes", r.far_bytes},
                                          {"huge_pages", r.huge_pages},
                                          {"gb_per_s", r.gb_per_s.median()}});
    }
    write_line(out);
  }

  void print_head(const LoadedModel& loaded, const Device& device, const CeilingMeter& meter) const {
    const Model& model = loaded.model();
    write_out(fmt::format("{}: {}, {:.1f} M parameters, {}\n", loaded.files().path().filename().string(),
                          model.config.family, static_cast<double>(model.parameters()) / 1e6,
                          human_bytes(model.weight_bytes())));
    write_out(fmt::format("device {}, kernels {}, {}, {}{}\n", device.name(), device.kernels(),
                          count_of(device.threads(), "thread"), no_cache_ ? "no KV cache, rounded as " : "KV cache ",
                          info(device.cache_type()).name));
    if (show_ceilings_) write_out(read_patterns_table(meter));
    write_out(ceilings_line(meter.ceilings()) + "\n");
  }

  static Chart drawn(const LoadedModel& loaded, const Device& device, const std::vector<BenchResult>& results,
                     const Ceilings& ceilings) {
    const std::string title = fmt::format("{} under its roof", loaded.files().path().filename().string());
    const std::string how =
        fmt::format("device {}, kernels {}, {}", device.name(), device.kernels(), count_of(device.threads(), "thread"));
    return roofline(title, how, results, ceilings);
  }

  ModelOption model_;
  RunOptions run_;
  std::vector<std::size_t> prompts_, contexts_, batches_;
  std::optional<std::size_t> decode_tokens_;
  std::optional<std::size_t> repeat_;
  bool no_cache_ = false;
  bool show_ceilings_ = false;
  bool predict_ = false;
  bool verbs_ = false;
  std::string chip_;
  std::string out_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_bench() { return std::make_unique<Bench>(); }

}  // namespace rung

#include "cli/bench_metal.h"

#include <fmt/format.h>

#include <cmath>

#include "cli/terminal.h"
#include "measure/cost.h"
#include "model/forward.h"

namespace rung {

namespace {

struct Foretold {
  std::size_t context, dispatches;
  double bytes;
  MetalPrediction predicted;
};

std::vector<Foretold> foretell(const Model& model, const MetalPredictionOptions& options) {
  std::vector<Foretold> cases;
  for (const std::size_t before : options.contexts) {
    const double bytes = cost_of(model, kv_shape(model.config, options.cache_type), {.before = before}).bytes();
    const std::size_t dispatches = metal_dispatches(model, before);
    cases.push_back({before, dispatches, bytes, predict_metal(*options.chip, bytes, dispatches)});
  }
  return cases;
}

std::string chip_and_format(const BackTest::Number& n) { return fmt::format("{}, {}", n.chip, n.format); }

void print_foretold(const LoadedModel& loaded, const MetalPredictionOptions& options,
                    const std::vector<Foretold>& cases) {
  const MacChip& chip = *options.chip;
  OrderedJson out{{"model", loaded.files().path().string()},
                  {"family", loaded.model().config.family},
                  {"device", "metal"},
                  {"predicted", true},
                  {"chip", {{"name", chip.name}, {"gpu_cores", chip.gpu_cores}, {"gb_per_s", chip.gb_per_s}}},
                  {"cache_type", info(options.cache_type).name}};
  for (const Foretold& c : cases) {
    out["decodes"].push_back(
        {{"context", c.context},
         {"bytes_per_token", c.bytes},
         {"dispatches", c.dispatches},
         {"predicted_tokens_per_second", {c.predicted.least_per_second(), c.predicted.most_per_second()}}});
  }
  const BackTest test = back_test_metal();
  out["back_test"] = {{"against", "llama.cpp, discussion 4167: LLaMA 7B"},
                      {"numbers", test.numbers.size()},
                      {"mean_error", test.mean()},
                      {"worst_error", test.worst().off()},
                      {"worst", chip_and_format(test.worst())}};
  write_line(out);
}

}  // namespace

void print_metal_prediction(const LoadedModel& loaded, const MetalPredictionOptions& options) {
  const MacChip& chip = *options.chip;
  const Model& model = loaded.model();
  const std::vector<Foretold> cases = foretell(model, options);
  if (options.json) return print_foretold(loaded, options, cases);
  std::string out =
      fmt::format("{}: {}, {:.1f} M parameters, {}\n", loaded.files().path().filename().string(), model.config.family,
                  static_cast<double>(model.parameters()) / 1e6, human_bytes(model.weight_bytes()));
  out += fmt::format(
      "{}A prediction for an {} with {} GPU cores and {:.0f} GB/s{}: nothing was measured here.\n"
      "A token takes its bytes ÷ 80% of the bandwidth, 2.5 µs a dispatch, and 150 to 360 µs to be handed over\n"
      "and waited for.\n\n",
      style().bold, chip.name, chip.gpu_cores, chip.gb_per_s, style().reset);
  out += fmt::format("{}{:<28}{:>16}{:>14}{:>10}{:>12}{:>10}{}\n", style().dim, "predicted", "tok/s", "bytes", "ms",
                     "dispatches", "ms", style().reset);
  for (const Foretold& c : cases) {
    const MetalPrediction& p = c.predicted;
    out += fmt::format("{:<28}{}{:>16}{}{:>14}{:>10.2f}{:>12}{:>10.2f}\n", fmt::format("decode at {}", c.context),
                       style().bold, fmt::format("{:.0f} to {:.0f}", p.least_per_second(), p.most_per_second()),
                       style().reset, human_bytes(static_cast<std::uint64_t>(c.bytes)), p.memory_seconds * 1e3,
                       c.dispatches, p.dispatch_seconds * 1e3);
  }
  const BackTest test = back_test_metal();
  const double worst = test.worst().off();
  out += fmt::format(
      "\nHow good is such a formula? For llama.cpp's LLaMA 7B on {} combinations of chip and format (its discussion\n"
      "4167, its own number of dispatches) it is off by {:.0f}% on average; at worst it foretells {:.0f}% too {} "
      "({}).\n"
      "Nothing much smaller was compared.\n",
      test.numbers.size(), 100 * test.mean(), 100 * std::abs(worst), worst > 0 ? "much" : "little",
      chip_and_format(test.worst()));
  write_out(out);
}

}  // namespace rung

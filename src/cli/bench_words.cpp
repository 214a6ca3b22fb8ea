#include "cli/bench_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/pieces.h"
#include "cli/terminal.h"

namespace rung {

namespace {

std::string megabytes(double bytes) { return human_bytes(static_cast<std::uint64_t>(bytes)); }

std::string operations(double n) {
  if (n >= 1e12) return fmt::format("{:.2f} T", n / 1e12);
  if (n >= 1e9) return fmt::format("{:.1f} G", n / 1e9);
  return fmt::format("{:.0f} M", n / 1e6);
}

// How many tokens the cost of a prediction is for: the prompt's, or one of each sequence.
double tokens_of(const BenchCase& what) { return static_cast<double>(what.prefill ? what.tokens : what.batch); }

const char* limited_by(const Limit& limit, const PassCost& cost) {
  if (limit.by_memory()) return "memory";
  if (cost.int8_operations >= std::max(cost.bf16_operations, cost.float_operations)) return "int8 peak";
  return cost.bf16_operations >= cost.float_operations ? "bf16 peak" : "f32 peak";
}

// The nearest of 1, 2, 5 times a power of ten at or beyond `value`.
double round_out(double value, bool up) {
  const double ten = std::pow(10, std::floor(std::log10(value)));
  const double steps[] = {1, 2, 5, 10};
  double best = up ? 10 * ten : ten;
  for (const double s : steps) {
    if (up ? s * ten >= value && s * ten < best : s * ten <= value) best = s * ten;
  }
  return best;
}

std::string prefetch_words(const ReadPattern& read) {
  if (read.near_bytes == 0 && read.far_bytes == 0) return "no prefetch";
  if (read.near_bytes == 0 || read.far_bytes == 0) return fmt::format("{} ahead", read.near_bytes + read.far_bytes);
  return fmt::format("{} and {} ahead", read.near_bytes, read.far_bytes);
}

}  // namespace

std::string name_of(const BenchCase& what) {
  if (what.prefill) return fmt::format("prefill of {}", what.tokens);
  return fmt::format("decode at {}{}", what.context, what.batch > 1 ? fmt::format(", {} together", what.batch) : "");
}

std::string ceilings_line(const Ceilings& c) {
  return fmt::format(
      "ceilings here: {:.1f} GB/s from memory, {:.0f} GOP/s in int8, {:.0f} GFLOP/s in bf16, {:.0f} in f32\n",
      c.read_gb_per_s, c.int8_gop_per_s, c.bf16_gflop_per_s, c.f32_gflop_per_s);
}

std::string read_patterns_table(const CeilingMeter& meter) {
  std::string out = fmt::format("reading {} from memory, GB/s:\n  {:<40}{:>12}{:>12}\n",
                                human_bytes(meter.buffer_bytes()), "", "2 MiB pages", "4 KiB pages");
  for (const ReadPattern& huge : meter.reads()) {
    if (!huge.huge_pages) continue;
    const auto same = [&](const ReadPattern& r) {
      return !r.huge_pages && r.streams == huge.streams && r.near_bytes == huge.near_bytes &&
             r.far_bytes == huge.far_bytes;
    };
    const auto small = std::find_if(meter.reads().begin(), meter.reads().end(), same);
    const std::string how = fmt::format("{} a thread, {}", count_of(huge.streams, "stream"), prefetch_words(huge));
    out += fmt::format("  {:<40}{:>12.2f}{:>12.2f}\n", how, huge.gb_per_s.median(), small->gb_per_s.median());
  }
  return out;
}

std::string prediction(const Model& model, const std::vector<BenchCase>& cases, const std::vector<PassCost>& costs,
                       const Ceilings& ceilings) {
  std::string out = fmt::format(
      "What the limit allows\n"
      "  To write a token, each of {:.1f} M weights is multiplied once, and to be multiplied it must come from "
      "memory.\n"
      "  Nothing is faster than bytes ÷ bandwidth, nor than operations ÷ peak: the slower of the two is the limit.\n",
      static_cast<double>(model.parameters()) / 1e6);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const PassCost& cost = costs[i];
    const Limit limit = limit_of(cost, ceilings);
    const double tokens = tokens_of(cases[i]);
    out += fmt::format("  {}{}{}: {} of weights", style().bold, name_of(cases[i]), style().reset,
                       megabytes(cost.weight_bytes));
    out += fmt::format(" and {} of keys and values ÷ {:.1f} GB/s = {:.1f} ms;\n", megabytes(cost.cache_bytes),
                       ceilings.read_gb_per_s, limit.memory_seconds * 1e3);
    out += fmt::format("    {} operations in int8 ÷ {:.0f} GOP/s, ", operations(cost.int8_operations),
                       ceilings.int8_gop_per_s);
    if (cost.bf16_operations > 0) {
      out += fmt::format("{} in bf16 ÷ {:.0f} GFLOP/s, ", operations(cost.bf16_operations), ceilings.bf16_gflop_per_s);
    }
    out += fmt::format("{} in f32 ÷ {:.0f} GFLOP/s = {:.1f} ms.\n", operations(cost.float_operations),
                       ceilings.f32_gflop_per_s, limit.compute_seconds * 1e3);
    out += fmt::format("    Bound by {}: at most {:.1f} tok/s.\n", limit.by_memory() ? "memory" : "arithmetic",
                       tokens / limit.seconds());
  }
  const double ridge = ceilings.int8_gop_per_s / ceilings.read_gb_per_s;
  out += fmt::format(
      "  The two limits meet at {:.1f} operations a byte: with fewer, memory is the slower, with more, arithmetic. One "
      "token does "
      "{:.1f} with\n  each byte of weights. Tokens that share a pass share its bytes, those of a prompt as those of "
      "sequences side by "
      "side: so a prompt is\n  read many times faster than an answer is written.\n\n",
      ridge, 2 * static_cast<double>(model.parameters()) / static_cast<double>(model.weight_bytes()));
  return out;
}

std::string results_table(const std::vector<BenchResult>& results, const Ceilings& ceilings, bool predicted) {
  const std::string column = predicted ? fmt::format("{:>11}", "predicted") : "";
  std::string out = fmt::format("{}{:<28}{:>10}{}{:>9}{:>9}  {}{}\n", style().dim, "", "tok/s", column, "GB/s", "GOP/s",
                                "of the limit", style().reset);
  for (const BenchResult& r : results) {
    const Limit limit = limit_of(r.cost, ceilings);
    const double share = limit.by_memory() ? r.bandwidth_share(ceilings) : limit.seconds() / r.seconds;
    std::string turns;
    if (limit.by_memory() && r.in_turns) {
      turns = fmt::format(", {:.2f} of {:.2f} GB/s in turns", r.in_turns->gb_per_s, r.in_turns->read_gb_per_s);
    }
    const std::string most = predicted ? fmt::format("{:>11.1f}", static_cast<double>(r.tokens) / limit.seconds()) : "";
    out += fmt::format("{:<28}{}{:>10.1f}{}{}{:>9.2f}{:>9.1f}  {:.0f}% of {}{}\n", name_of(r.what), style().bold,
                       r.tokens_per_second(), style().reset, most, r.gb_per_s(), r.gop_per_s(), 100 * share,
                       limited_by(limit, r.cost), turns);
  }
  return out;
}

std::string verbs_table(const std::vector<BenchResult>& results, const Ceilings& ceilings) {
  std::string out = fmt::format("\n{}{:<28}", style().dim, "share of the time, %");
  for (const std::string_view verb : PassTimes::kNames) out += fmt::format("{:>10}", verb);
  out += fmt::format("{:>10}{}\n", "between", style().reset);
  for (const BenchResult& r : results) {
    double between = r.seconds;
    out += fmt::format("{:<28}", name_of(r.what));
    for (const double seconds : r.times.seconds) {
      out += fmt::format("{:>10.1f}", 100 * seconds / r.seconds);
      between -= seconds;
    }
    out += fmt::format("{:>10.1f}\n", 100 * between / r.seconds);
  }
  for (const BenchResult& r : results) {
    const double of_peak = r.linear_peak_share(ceilings);
    const double read = r.cost.weight_bytes / r.linear_seconds() / 1e9;
    out += fmt::format("linear layers, {}: ", name_of(r.what));
    if (of_peak > 0) out += fmt::format("{:.0f}% of the peak of their dot products; ", 100 * of_peak);
    out += fmt::format("{:.2f} GB/s, {:.0f}% of the ceiling\n", read, 100 * read / ceilings.read_gb_per_s);
  }
  return out;
}

Chart roofline(const std::string& title, const std::string& subtitle, const std::vector<BenchResult>& results,
               const Ceilings& c) {
  double least = 1e300, most = 0, slowest = c.f32_gflop_per_s;
  for (const BenchResult& r : results) {
    const double intensity = r.cost.operations() / r.cost.bytes();
    least = std::min(least, intensity);
    most = std::max(most, intensity);
    slowest = std::min(slowest, r.gop_per_s());
  }
  const double ridge = c.int8_gop_per_s / c.read_gb_per_s, f32_ridge = c.f32_gflop_per_s / c.read_gb_per_s;
  const double left = round_out(least / 2, false), right = round_out(std::max(most, ridge) * 2, true);
  const double bottom = round_out(std::min(slowest, left * c.read_gb_per_s) / 1.2, false),
               top = round_out(c.int8_gop_per_s * 1.3, true);
  Chart chart(title, subtitle,
              {.title = "operations per byte from memory", .from = left, .to = right, .logarithmic = true},
              {.title = "GOP/s", .from = bottom, .to = top, .logarithmic = true});
  chart.line({{left, left * c.read_gb_per_s}, {ridge, c.int8_gop_per_s}},
             {.series = 0, .label = fmt::format("memory, {:.1f} GB/s", c.read_gb_per_s)});
  chart.line({{ridge, c.int8_gop_per_s}, {right, c.int8_gop_per_s}},
             {.series = 0, .label = fmt::format("int8 peak, {:.0f} GOP/s", c.int8_gop_per_s)});
  chart.line({{f32_ridge, c.f32_gflop_per_s}, {right, c.f32_gflop_per_s}},
             {.series = 3, .label = fmt::format("f32 peak, {:.0f} GFLOP/s", c.f32_gflop_per_s), .dashed = true});
  if (c.bf16_gflop_per_s > 1.1 * c.f32_gflop_per_s) {
    chart.line({{c.bf16_gflop_per_s / c.read_gb_per_s, c.bf16_gflop_per_s}, {right, c.bf16_gflop_per_s}},
               {.series = 3, .label = fmt::format("bf16 peak, {:.0f} GFLOP/s", c.bf16_gflop_per_s), .dashed = true});
  }
  for (const BenchResult& r : results) {
    chart.point(r.cost.operations() / r.cost.bytes(), r.gop_per_s(),
                {.series = r.what.prefill ? 2u : 1u, .label = name_of(r.what)});
  }
  return chart;
}

}  // namespace rung

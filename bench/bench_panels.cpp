// How fast each kernel set multiplies panels of each format: operations per second with many tokens, bytes of weights
// per second with one. The types are those of the tests: tests/kernels/cases.h.
#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "kernels/cases.h"
#include "run_benchmarks.h"

namespace rung {
namespace {

// A megabyte of Q8_0: stays in the second-level cache, so that only the kernel is timed.
constexpr std::size_t kRows = 768, kColumns = 1536;

void multiply(benchmark::State& state, const Kernels& kernels, DType type, std::size_t tokens) {
  std::mt19937 random(1);
  const std::size_t panel = panel_bytes(type, kColumns);
  std::vector<std::byte> panels(panel_count(kRows) * panel);
  // small numbers, none of them denormal
  for (std::byte& b : panels) b = static_cast<std::byte>(0x20 | (random() & 0x1b));
  std::vector<float> x(tokens * kColumns), out(tokens * kRows);
  for (float& v : x) v = static_cast<float>(random() % 2001) / 1000.0f - 1.0f;
  std::vector<ActivationBlock> blocks(tokens * kColumns / 32);
  for (std::size_t t = 0; t < tokens; ++t) kernels.quantize(&blocks[t * kColumns / 32], &x[t * kColumns], kColumns);
  std::vector<std::uint16_t> bf16s(tokens * bf16_stride(kColumns));
  if (kernels.round_to_bf16 != nullptr) {
    for (std::size_t t = 0; t < tokens; ++t) {
      kernels.round_to_bf16(&bf16s[t * bf16_stride(kColumns)], &x[t * kColumns], kColumns);
    }
  }
  const PanelProduct task{
      .panels = panels.data(),
      .panel_bytes = panel,
      .rows = kRows,
      .columns = kColumns,
      .bias = nullptr,
      .blocks = blocks.data(),
      .bf16_rows = bf16s.data(),
      .floats = x.data(),
      .tokens = tokens,
      .out = out.data(),
      .out_stride = kRows,
      .first_panel = 0,
      .end_panel = panel_count(kRows),
  };
  for (auto _ : state) {
    kernels.product(type)(task);
    benchmark::ClobberMemory();
  }
  const auto runs = static_cast<double>(state.iterations());
  state.counters["op/s"] =
      benchmark::Counter(runs * 2.0 * static_cast<double>(kRows * kColumns * tokens), benchmark::Counter::kIsRate);
  state.counters["B/s"] = benchmark::Counter(runs * static_cast<double>(panels.size()), benchmark::Counter::kIsRate);
}

void register_all() {
  for (const Kernels* kernels : supported_kernels()) {
    for (const DType type : kWeightTypes) {
      const std::string name = std::string(kernels->name) + "/" + std::string(info(type).name);
      for (const std::size_t tokens : {std::size_t{1}, std::size_t{192}}) {
        benchmark::RegisterBenchmark((name + "/tokens:" + std::to_string(tokens)).c_str(),
                                     [=](benchmark::State& state) { multiply(state, *kernels, type, tokens); });
      }
    }
  }
}

}  // namespace
}  // namespace rung

int main(int argc, char** argv) { return rung::run_benchmarks(argc, argv, rung::register_all); }

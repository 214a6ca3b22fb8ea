// How fast each kernel set runs each kernel but the panels (bench_panels): bytes touched per second, and for attention
// operations. The cases are those of the tests: tests/kernels/cases.h.
//
//   bench_kernels --benchmark_filter=avx2/attend
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "kernels/cases.h"
#include "run_benchmarks.h"

namespace rung {
namespace {

std::vector<float> some_values(std::size_t n) {
  std::vector<float> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<float>(i * 37 % 101) / 101.0f - 0.5f;
  return values;
}

void vectors(benchmark::State& state, const Kernels& kernels, const VectorCase& what) {
  constexpr std::size_t kValues = 1536;  // a row of a small model's widest activations: in the first-level cache
  const std::vector<float> a = some_values(kValues), b = some_values(kValues);
  std::vector<float> out = a;
  for (auto _ : state) {
    what.run(kernels, out.data(), a.data(), b.data(), kValues);
    benchmark::ClobberMemory();
  }
  const double bytes =
      static_cast<double>(state.iterations()) * static_cast<double>(what.floats_touched * kValues * sizeof(float));
  state.counters["B/s"] = benchmark::Counter(bytes, benchmark::Counter::kIsRate);
}

// A block of `key_count` keys and `queries` queries, then the partial results combined.
void attention(benchmark::State& state, const Kernels& kernels, std::size_t head_dim, std::size_t key_count,
               std::size_t queries, DType type) {
  const std::size_t pieces = key_count / kPieceKeys;
  const std::size_t piece_bytes = kPieceKeys * head_dim * (type == DType::f32 ? 4 : type == DType::f16 ? 2 : 1);
  // 0.13 as f16, 6e-10 as f32.
  const std::vector<std::byte> keys(pieces * piece_bytes + 64, std::byte{0x30});
  const std::vector<std::byte> values(pieces * piece_bytes + 64, std::byte{0x30});
  const std::vector<f16> scales(kPieceKeys * ((head_dim + 31) / 32), to_f16(0.01f));
  const std::vector<float> q = some_values(queries * head_dim);
  const std::vector<AttentionBlock::Seen> seen(queries, {0, key_count});
  std::vector<float> partials(queries * partial_floats(head_dim)), total(queries * partial_floats(head_dim));
  AttentionBlock block{.pieces = {},
                       .next = keys.data(),
                       .type = type,
                       .head_dim = head_dim,
                       .scale = 0.1f,
                       .queries = q.data(),
                       .query_stride = head_dim,
                       .seen = seen.data(),
                       .query_count = queries,
                       .partials = partials.data(),
                       .partial_stride = partial_floats(head_dim)};
  for (std::size_t i = 0; i < pieces; ++i) {
    block.pieces[i] = {keys.data() + i * piece_bytes, values.data() + i * piece_bytes, scales.data(), scales.data()};
  }
  for (auto _ : state) {
    kernels.attend(block);
    kernels.combine(total.data(), partials.data(), queries, partial_floats(head_dim), head_dim);
    benchmark::ClobberMemory();
  }
  const double operations =
      static_cast<double>(state.iterations()) * 4.0 * static_cast<double>(key_count * head_dim * queries);
  state.counters["op/s"] = benchmark::Counter(operations, benchmark::Counter::kIsRate);
}

void register_all() {
  for (const Kernels* kernels : supported_kernels()) {
    const std::string set(kernels->name);
    for (const VectorCase& what : kVectorCases) {
      benchmark::RegisterBenchmark((set + "/" + what.name).c_str(),
                                   [=](benchmark::State& state) { vectors(state, *kernels, what); });
    }
    for (const std::size_t head_dim : kHeadDims) {
      for (const DType type : kCacheTypes) {
        // A decode step's heads that share a key head; a tile of a prompt.
        for (const std::size_t queries : {std::size_t{3}, std::size_t{24}}) {
          for (const std::size_t keys : {kPieceKeys, kAttentionKeys}) {
            const std::string name = set + "/attend/" + std::string(info(type).name) +
                                     "/head_dim:" + std::to_string(head_dim) + "/keys:" + std::to_string(keys) +
                                     "/queries:" + std::to_string(queries);
            benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
              attention(state, *kernels, head_dim, keys, queries, type);
            });
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace rung

int main(int argc, char** argv) { return rung::run_benchmarks(argc, argv, rung::register_all); }

// What a round of the thread team costs by itself: nothing to do but to begin and to end. A decode step has a hundred
// and more.
//
//   bench_threads
#include <benchmark/benchmark.h>

#include <cstdint>

#include "base/processors.h"
#include "base/threads.h"

namespace rung {
namespace {

void barrier(benchmark::State& state) {
  ThreadTeam team(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    team.run(team.size(), [](std::size_t, std::size_t) {});
  }
}

BENCHMARK(barrier)->UseRealTime()->ArgName("threads")->RangeMultiplier(2)->Range(
    1, static_cast<std::int64_t>(usable_processors()));

}  // namespace
}  // namespace rung

BENCHMARK_MAIN();

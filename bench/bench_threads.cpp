// What a round of the thread team costs by itself: nothing to do but to begin and to end. A decode step has some hundred of them.
//
//   bench_threads
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

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

void register_all() {
  auto* const rounds = benchmark::RegisterBenchmark("barrier/threads", barrier)->UseRealTime();
  const auto most = static_cast<std::int64_t>(usable_processors());
  for (std::int64_t threads = 1; threads < most; threads *= 2) rounds->Arg(threads);
  rounds->Arg(most);
}

}  // namespace
}  // namespace rung

int main(int argc, char** argv) {
  rung::register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}

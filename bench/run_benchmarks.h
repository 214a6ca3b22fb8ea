// The main of a program whose benchmarks are as many as this machine has kernel sets.
#pragma once

#include <benchmark/benchmark.h>

namespace rung {

// Registered by main, not by statics as Google Benchmark's macros do: while those are made, the kernel tables may not
// be there yet.
inline int run_benchmarks(int argc, char** argv, void (*register_all)()) {
  register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace rung

// Measurements → lines, words that teach, a picture.  Milestone M6.
#pragma once

#include <string>
#include <vector>

#include "cli/draw/svg.h"
#include "measure/bench_runs.h"

namespace rung {

std::string name_of(const BenchCase& what);  // "prefill of 512", "decode at 64, 4 together"

std::string ceilings_line(const Ceilings& ceilings);
std::string read_patterns_table(const CeilingMeter& meter);

// How the limit of each case comes about, in words and numbers.
std::string prediction(const Model& model, const std::vector<BenchCase>& cases, const std::vector<PassCost>& costs,
                       const Ceilings& ceilings);

// A line a result: tok/s, GB/s, GOP/s, and which share of its limit that is.
std::string results_table(const std::vector<BenchResult>& results, const Ceilings& ceilings, bool predicted);

// A line a result: the share of its time that each verb takes, and how fast its linear layers are.
std::string verbs_table(const std::vector<BenchResult>& results, const Ceilings& ceilings);

// Operations per byte → operations per second: the two ceilings, and where each result stands below them.
Chart roofline(const std::string& title, const std::string& subtitle, const std::vector<BenchResult>& results,
               const Ceilings& ceilings);

}  // namespace rung

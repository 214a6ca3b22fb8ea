// A model on a device → how long reading and writing take there.  Milestones M4, M6.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/signals.h"
#include "measure/ceilings.h"
#include "measure/cost.h"
#include "ops/timed.h"

namespace rung {

// What is measured: a prompt that is read, or tokens that are written after `context` others.
struct BenchCase {
  bool prefill = false;
  std::size_t tokens = 0;    // read, or written by each sequence; 0: as many as a quarter of a second is enough for,
  std::size_t at_most = 32;  // but no more than these
  std::size_t context = 0;   // of each sequence before
  std::size_t batch = 1;     // sequences that write together
};

// What decode steps read a second, and what plain reading does in turns with them: both meet the same moments of the
// machine.
struct InTurns {
  double gb_per_s = 0;
  double read_gb_per_s = 0;
  double share() const { return gb_per_s / read_gb_per_s; }
};

struct BenchResult {
  BenchCase what;
  std::size_t tokens = 0;           // of all sequences
  double seconds = 0;               // the median of the runs
  PassCost cost;                    // of all passes together
  PassTimes times;                  // of the same run; nothing where no clocks were set
  std::optional<InTurns> in_turns;  // of decode with a cache, of the run with the median share

  double tokens_per_second() const { return static_cast<double>(tokens) / seconds; }
  double gb_per_s() const { return cost.bytes() / seconds / 1e9; }
  double bandwidth_share(const Ceilings& c) const {
    return in_turns ? in_turns->share() : gb_per_s() / c.read_gb_per_s;
  }
  double gop_per_s() const { return cost.operations() / seconds / 1e9; }
  double linear_seconds() const { return times.seconds[PassTimes::linear]; }
  // How much of their time the linear layers of quantised weights and of bf16 would take at the peaks of their dot
  // products.
  double linear_peak_share(const Ceilings& c) const {
    return (cost.int8_operations / c.int8_gop_per_s + cost.bf16_operations / c.bf16_gflop_per_s) / 1e9 /
           linear_seconds();
  }
  double bytes_per_token() const { return cost.bytes() / static_cast<double>(tokens); }
};

// What the ceilings allow for it: it takes as long as the slower of moving its bytes and doing its operations.
struct Limit {
  double memory_seconds = 0, compute_seconds = 0;
  double seconds() const { return std::max(memory_seconds, compute_seconds); }
  bool by_memory() const { return memory_seconds >= compute_seconds; }
};
Limit limit_of(const PassCost& cost, const Ceilings& ceilings);

struct BenchSetting {
  const Model& model;
  Ops& ops;
  std::size_t context = 0;  // 0: the model's
  bool keep_cache = true;
  TimedOps* clocks = nullptr;  // `ops`, where the time of each verb is asked for
};

// One case, made ready to be run again and again.
class BenchRun {
 public:
  virtual ~BenchRun() = default;
  // Runs it once and keeps the time. Throws Interrupted.
  void run();
  // Runs it once more, each step in turns with plain reading of as many bytes, and keeps how fast both were: decode
  // with a cache. Nothing else is bound by memory alone, and nothing else does.
  void run_in_turns(CeilingMeter& meter);
  BenchResult result() const;
  // Of a prompt, or of one token of each sequence.
  PassCost expected_cost() const { return cost(what_.prefill ? what_.tokens : 1); }

 protected:
  BenchRun(const BenchSetting& setting, const BenchCase& what) : setting_(setting), what_(what) {}
  struct Once {
    std::size_t tokens;  // of each sequence
    double seconds;
    PassTimes times = {};
  };
  virtual Once run_once() = 0;
  virtual std::optional<InTurns> run_once_in_turns(CeilingMeter&) { return std::nullopt; }
  // Now, which is when what counts begins.
  Clock::time_point start() const {
    if (setting_.clocks != nullptr) setting_.clocks->restart();
    return Clock::now();
  }
  // Of so many tokens of each sequence.
  virtual PassCost cost(std::size_t tokens) const = 0;

  const BenchSetting setting_;
  const BenchCase what_;

 private:
  std::vector<Once> runs_;
  std::vector<InTurns> runs_in_turns_;
};
std::unique_ptr<BenchRun> make_bench_run(const BenchSetting& setting, const BenchCase& what);

}  // namespace rung

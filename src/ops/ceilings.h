// A machine → its ceilings: what no program can go beyond, however it is written.  Milestone M6.
//
// Writing a token reads every weight once, so bytes per second bound it; reading a prompt uses each weight for many tokens, so operations
// per second do. (Williams, Waterman & Patterson 2009: Roofline, doi:10.1145/1498765.1498785)
#pragma once

#include <cstddef>
#include <vector>

#include "base/arena.h"
#include "base/threads.h"
#include "kernels/kernels.h"
#include "tensor/tensor.h"

namespace rung {

struct Ceilings {
  double read_gb_per_s = 0;     // all threads, from memory
  double int8_gop_per_s = 0;    // all threads: products of bytes and their sums, two operations each
  double f32_gflop_per_s = 0;   // all threads: fused multiply-adds, two operations each
  double bf16_gflop_per_s = 0;  // all threads: products of bf16 and their sums; f32's, where the set multiplies them as f32
};

// A way to read memory. Which is the fastest differs between machines: that one is the ceiling.
struct ReadPattern {
  std::size_t streams;      // that a thread reads side by side
  std::size_t ahead_bytes;  // how far ahead a line is asked for; 0: the processor's own guess is enough
  bool huge_pages;
  std::vector<double> measured = {};  // GB/s, a number a call of measure(), in ascending order
  double gb_per_s() const { return measured.empty() ? 0 : measured[measured.size() / 2]; }
};

class CeilingMeter {
 public:
  // Which ways to read are tried: those that are the fastest on most machines, or all, small pages too.
  enum class Reads { likely, all };
  // Takes memory far beyond the caches. `team` outlives this.
  explicit CeilingMeter(ThreadTeam& team, Reads reads = Reads::likely, const Kernels& kernels = chosen_kernels());

  // Measures all of it once more, in some tenths of a second. Of the peaks the best of all calls counts: whatever else the machine does
  // only ever takes away. Memory may be shared with neighbours who come and go (seen: 35 GB/s most of the time, 55 at moments), and what
  // is compared with it meets the same moments: of each way to read the median counts, and of these the best.
  void measure();

  const Ceilings& best() const { return best_; }
  const std::vector<ReadPattern>& reads() const { return reads_; }
  std::size_t buffer_bytes() const { return bytes_; }

 private:
  double read(const ReadPattern& pattern);
  template <class Peak>
  double operations_per_second(Peak peak);

  ThreadTeam& team_;
  const Kernels& kernels_;
  std::size_t bytes_;
  Arena arena_;  // huge pages, where the system has them
  std::byte* huge_;
  Buffer<std::byte> small_;
  Ceilings best_;
  std::vector<ReadPattern> reads_;
};

}  // namespace rung

// A machine → its ceilings: what no program can go beyond for long, however it is written.  Milestone M6.
//
// Writing a token reads every weight once, so bytes per second bound it; reading a prompt uses each weight for many
// tokens, so operations per second do. (Williams, Waterman & Patterson 2009: Roofline, doi:10.1145/1498765.1498785)
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/arena.h"
#include "base/threads.h"
#include "kernels/kernels.h"
#include "tensor/tensor.h"

namespace rung {

struct Ceilings {
  double read_gb_per_s = 0;    // all threads, from memory
  double int8_gop_per_s = 0;   // all threads: products of bytes and their sums, two operations each
  double f32_gflop_per_s = 0;  // all threads: fused multiply-adds, two operations each
  // all threads: products of bf16 and their sums; f32's, where the set multiplies them as f32
  double bf16_gflop_per_s = 0;
};

// Measured values, of which the median counts.
class Measured {
 public:
  void add(double value) { values_.insert(std::upper_bound(values_.begin(), values_.end(), value), value); }
  double median() const {
    const std::size_t n = values_.size();
    return n == 0 ? 0 : (values_[(n - 1) / 2] + values_[n / 2]) / 2;
  }

 private:
  std::vector<double> values_;  // ascending
};

// A way to read memory. Which is the fastest differs between machines: that one is the ceiling.
struct ReadPattern {
  std::size_t streams;  // that a thread reads side by side
  // how far ahead a line is asked for into the first-level cache; 0: it is not, the processor may guess
  std::size_t near_bytes;
  std::size_t far_bytes;  // likewise into the second
  bool huge_pages;
  Measured gb_per_s = {};  // a number a call of measure()
};

class CeilingMeter {
 public:
  // Which ways to read are tried: those that are the fastest on most machines, or all, small pages too.
  enum class Reads { likely, all };
  // Takes memory far beyond the caches. `team` outlives this.
  explicit CeilingMeter(ThreadTeam& team, Reads reads = Reads::likely, const Kernels& kernels = chosen_kernels());

  // Measures all of it once more, in some tenths of a second. Memory and cores may be shared with neighbours who come
  // and go, and a virtual machine's threads may share one way to the memory at one moment and have two of their own at
  // the next (bench/README.md). So the median of all calls counts: of each peak, and of each way to read, of which the
  // best is the ceiling.
  void measure();

  struct Reading {
    double bytes = 0, seconds = 0;
    double gb_per_s() const { return bytes / seconds / 1e9; }
    void operator+=(const Reading& other) { bytes += other.bytes, seconds += other.seconds; }
  };
  // Reads some of its memory, from where it stopped last, the way that was the fastest so far: for whoever takes turns
  // with it, to know what memory gives in the very moments in which something else is measured. Each thread reads as
  // many whole pieces as the others.
  Reading read_some(std::size_t about_bytes);

  Ceilings ceilings() const;
  const std::vector<ReadPattern>& reads() const { return reads_; }
  std::size_t buffer_bytes() const { return bytes_; }

 private:
  Reading read(const ReadPattern& pattern, std::size_t first_piece, std::size_t pieces);
  template <class Peak>
  double operations_per_second(Peak peak);
  template <class Peak>
  double best_operations_per_second(Peak peak);

  ThreadTeam& team_;
  const Kernels& kernels_;
  std::size_t bytes_;
  Arena arena_;  // huge pages, where the system has them
  std::byte* huge_;
  Buffer<std::byte> small_;
  Measured int8_, f32_, bf16_;
  std::vector<ReadPattern> reads_;
  std::size_t next_piece_ = 0;  // of read_some
};

}  // namespace rung

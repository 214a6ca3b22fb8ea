// Counts what checked kernels read and write of device memory, on three scales:
//
//   a dispatch      each byte once: what memory must give, if nothing is kept from one dispatch to the next
//   a threadgroup   each byte and each cache line once: what comes to a core, whose cache its threads share
//   a load          the lines that the 32 lanes of a SIMD group touch together, against the least that their distinct
//                   bytes need: what the core's cache is asked for (1.0: coalesced)
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "../emulator.h"

namespace metal_emulator {

constexpr std::size_t cache_line_bytes = 128;  // of Apple's GPUs

struct TrafficOf {                                  // of a piece of memory; sums over dispatches
  std::uint64_t bytes_read = 0, bytes_written = 0;  // each once a dispatch
  std::uint64_t group_bytes_read = 0;               // each once a threadgroup
  std::uint64_t group_lines_read = 0;
  std::uint64_t lines_together = 0, least_lines_together = 0;  // of loads that all 32 lanes made
};

class Traffic {
 public:
  static Traffic& instance();

  void start();  // counting, from zero
  void stop();
  TrafficOf of(Memory memory) const;  // once it was stopped
  TrafficOf all() const;

  void access(const volatile void* address, std::size_t bytes, bool is_write, std::size_t pc);
  void begin_dispatch();
  void begin_threadgroup();

 private:
  using Bytes = std::bitset<cache_line_bytes>;
  using Lines = std::map<std::size_t, TrafficOf>;  // address / cache_line_bytes →
  struct Touched {                                 // of a line
    Bytes read, written;
  };
  // One load instruction of one SIMD group: the n-th time that a lane comes to it belongs to the n-th time of the
  // others.
  struct Wave {
    std::uint32_t lanes = 0;
    std::map<std::size_t, Bytes> lines;
  };
  struct Key {
    std::size_t pc;
    std::uint32_t simdgroup, occurrence;
    bool operator==(const Key& o) const { return pc == o.pc && simdgroup == o.simdgroup && occurrence == o.occurrence; }
  };
  struct Hash {
    std::size_t operator()(const Key& k) const { return (k.pc * 31 + k.simdgroup) * 1000003 + k.occurrence; }
  };
  void close(const Wave& wave);
  static TrafficOf sum(Lines::const_iterator begin, Lines::const_iterator end);

  bool is_on_ = false;
  std::unordered_map<std::size_t, Touched> group_, dispatch_;  // address / cache_line_bytes →
  Lines lines_;
  std::unordered_map<Key, Wave, Hash> open_;
  std::unordered_map<std::size_t, std::vector<std::uint32_t>> times_;  // pc → per thread
};

}  // namespace metal_emulator

// Counts what checked kernels read and write of device memory: bytes by all lanes, distinct cache lines, and, load by
// load, how many lines the lanes of a SIMD group touch together against the least that their bytes need (1.0:
// coalesced).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "../emulator.h"

namespace metal_emulator {

constexpr std::size_t cache_line_bytes = 64;

struct TrafficOf {                                  // of a piece of memory
  std::uint64_t bytes_read = 0, bytes_written = 0;  // by all lanes, each time
  std::uint64_t distinct_lines_read = 0, distinct_lines_written = 0;
  std::uint64_t lines_together = 0, least_lines_together = 0;  // of loads that all 32 lanes made
};

class Traffic {
 public:
  static Traffic& instance();

  void start();  // counting, from zero
  void stop() { is_on_ = false; }
  TrafficOf of(Memory memory) const;

  void access(const volatile void* address, std::size_t bytes, bool is_write, std::size_t pc);
  void begin_threadgroup();

 private:
  // One load instruction of one SIMD group: the n-th time that a lane comes to it belongs to the n-th time of the
  // others.
  struct Wave {
    std::uint32_t lanes = 0, bytes = 0;
    std::vector<std::size_t> lines;
  };
  struct Key {
    std::size_t pc;
    std::uint32_t simdgroup, occurrence;
    bool operator==(const Key& o) const { return pc == o.pc && simdgroup == o.simdgroup && occurrence == o.occurrence; }
  };
  struct Hash {
    std::size_t operator()(const Key& k) const { return (k.pc * 31 + k.simdgroup) * 1000003 + k.occurrence; }
  };
  struct Line {
    std::uint64_t bytes_read = 0, bytes_written = 0, together = 0, least = 0;
  };
  void close(Wave& wave);

  bool is_on_ = false;
  std::map<std::size_t, Line> lines_;  // address / cache_line_bytes →
  std::unordered_map<Key, Wave, Hash> open_;
  std::unordered_map<std::size_t, std::vector<std::uint32_t>> times_;  // pc → per thread
};

}  // namespace metal_emulator

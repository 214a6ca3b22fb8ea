// Counts what checked kernels read and write of buffers (not of arguments, nor of tables in the program), on four
// scales:
//
//   a dispatch      each byte once: what memory must give, if nothing is kept from one dispatch to the next
//   a threadgroup   each byte and each cache line once: what comes to a core, whose cache its threads share
//   a SIMD group    each byte once, and the lines that come to it, if of all that it reads it finds only the last four
//                   lines again (lines_at_hand): how often the core's cache must go and fetch
//   a load          the lines that the 32 lanes of a SIMD group touch together, against the least that their distinct
//                   bytes need: what the core's cache is asked for (1.0: coalesced)
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <unordered_map>
#include <vector>

#include "../emulator.h"
#include "executor.h"

namespace metal_emulator {

constexpr std::size_t cache_line_bytes = 128;  // of Apple's GPUs

// The smallest cache of a core has 8 KB: 64 lines. 16 SIMD groups on it have four each; when there are 32, two.
constexpr std::size_t lines_at_hand = 4;

struct TrafficOf {                                  // of a piece of memory; sums over dispatches
  std::uint64_t bytes_read = 0, bytes_written = 0;  // each once a dispatch
  std::uint64_t group_bytes_read = 0;               // each once a threadgroup
  std::uint64_t group_lines_read = 0;
  std::uint64_t simd_bytes_read = 0;  // each once a SIMD group
  std::uint64_t lines_fetched = 0;
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
  void begin_dispatch(const std::vector<Memory>& reachable = {});
  void begin_threadgroup();
  void together(unsigned simdgroup);  // its lanes have met

 private:
  using Bytes = std::bitset<cache_line_bytes>;
  using Lines = std::map<std::size_t, TrafficOf>;  // address / cache_line_bytes →
  struct Touched {                                 // of a line
    Bytes read, written;
  };
  // One load instruction of one SIMD group: the n-th time that a lane comes to it, since they last met, belongs to the
  // n-th time of the others.
  struct Wave {
    std::uint32_t lanes = 0;
    std::map<std::size_t, Bytes> lines;
  };
  // Its loads in the order of the program, although lanes run one after another: what a lane alone loads stands behind
  // what it loaded before.
  struct SimdGroup {
    using Place = std::list<Wave>::iterator;
    struct Load {
      std::array<std::uint32_t, lanes> times{};  // that each lane came to it
      std::vector<Place> waves;                  // of each time
    };
    std::list<Wave> waves;
    std::unordered_map<std::size_t, Load> loads;  // by their pc; since the lanes last met
    std::array<Place, lanes> last;                // of each lane

    SimdGroup() { last.fill(waves.end()); }
    SimdGroup(const SimdGroup&) = delete;
    SimdGroup& operator=(const SimdGroup&) = delete;
    Wave& wave(std::size_t pc, unsigned lane);
  };
  void count(const SimdGroup& simd);
  static TrafficOf sum(Lines::const_iterator begin, Lines::const_iterator end);

  bool is_on_ = false;
  std::unordered_map<std::size_t, Touched> group_, dispatch_;  // address / cache_line_bytes →
  Lines lines_;
  std::vector<Memory> buffers_;          // of a dispatch
  std::map<unsigned, SimdGroup> simds_;  // of a threadgroup
};

}  // namespace metal_emulator

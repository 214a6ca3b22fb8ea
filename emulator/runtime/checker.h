// Looks at each access of a kernel that was built for it (Build::checked): races, bounds, alignment, memory that was
// never written. Order is Metal's:
//   within a threadgroup   threadgroup_barrier with the flag of the address space orders two threads;
//   within a SIMD group    simdgroup_barrier with that flag does, too;
//   between threadgroups   nothing does, nor between dispatches of one epoch (emulator.h, end_epoch).
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../emulator.h"

namespace metal_emulator {

enum class Space : unsigned char { threadgroup, device };

class Checker {
 public:
  static Checker& instance();

  void ignore(std::size_t base, std::size_t bytes);  // the stacks: a thread's own memory

  // Before a dispatch: what it may touch.
  void begin(const char* kernel, bool concurrent, const std::vector<Memory>& reachable, std::size_t threadgroup_base,
             std::size_t threadgroup_bytes);
  void end();
  void begin_threadgroup();
  void allow_threadgroup_memory(const void* base, std::size_t bytes, bool is_written);
  void end_epoch();
  void end_epoch(Memory buffer);

  void running(unsigned thread) { thread_ = thread; }
  void barrier(unsigned flags);  // of the whole threadgroup
  void simdgroup_barrier(unsigned simdgroup, unsigned flags);
  void set_on(bool on) { is_on_ = on; }  // while a kernel runs
  bool is_on() const { return is_on_; }

  // False: outside of all that may be touched.
  bool access(const volatile void* address, std::size_t bytes, bool is_write, bool is_atomic, std::size_t pc);
  void misplaced(const std::string& what);  // clang's own checks: an index, an alignment

  std::string take_findings();

 private:
  struct Access {  // an earlier one, of one cell of four bytes
    std::uint32_t epoch, group, phase, simd_phase;
    std::size_t pc;
    std::uint16_t thread;
    std::uint8_t mask;  // which of the four bytes
    bool is_atomic;
  };
  struct Cell {
    Access write, reads[2];
  };
  struct Page {
    Cell cells[1024];
  };
  struct Region {
    std::size_t begin, end;
    std::uint32_t epoch;
    bool is_written;
  };

  const Region* region_of(std::size_t address, std::size_t bytes, Space space, std::size_t pc, bool is_write);
  void cell_access(std::size_t address, const Access& now, Space space, bool is_write, bool is_written);
  bool is_ordered(const Access& before, const Access& now, Space space) const;
  Cell& cell_of(std::size_t address);
  void report(const char* what, std::size_t address, Space space, const Access* other, std::size_t pc, bool is_write);

  bool is_on_ = false;
  const char* kernel_ = "";
  std::uint32_t epoch_ = 1, newest_epoch_ = 1, group_ = 0;
  unsigned thread_ = 0;
  std::uint32_t phase_[2] = {}, simd_phase_[32][2] = {};
  std::size_t threadgroup_base_ = 0, threadgroup_bytes_ = 0, ignored_base_ = 0, ignored_bytes_ = 0;
  std::vector<Region> device_, threadgroup_;
  std::vector<std::pair<Memory, std::uint32_t>> buffer_epochs_;
  std::unordered_map<std::size_t, Page*> pages_;
  std::size_t last_page_ = 0;
  Page* last_ = nullptr;
  std::set<std::pair<std::size_t, std::size_t>> seen_;
  std::string findings_;
};

}  // namespace metal_emulator

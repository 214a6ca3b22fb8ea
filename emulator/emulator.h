// Runs compiled Metal kernels on the CPU: one fiber a GPU thread, with threadgroups, barriers, SIMD groups of 32 lanes,
// matrices and threadgroup memory. Compiled kernels come from mslcc.py; README.md says what is covered.
//
//   Library library{compile("norm.metal", Build::checked)};
//   Dispatch d{.kernel = library.find("rms_norm")};
//   d.buffers[0] = {x.data(), x.size() * sizeof(float)};
//   d.groups = {rows, 1, 1};
//   d.threads_per_group = {256, 1, 1};
//   run(d);   // throws Fault: a race, a read out of bounds, a barrier that not all threads reach …
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/kernel_table.h"

namespace metal_emulator {

// What a kernel did that a GPU forbids or leaves undefined: a line for each finding.
class Fault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A kernel file is compiled in three ways.
enum class Build {
  plain,       // as written
  checked,     // each access goes to the checker of races, bounds and alignment, and to the counter of bytes
  contracted,  // a·b + c may become one fma, as Apple's compiler does even without fast math
};

// Runs mslcc.py and links a shared object; a file that was compiled before, with all that it includes, is not compiled
// again. Throws std::runtime_error with the compiler's words.
std::string compile(const std::string& metal_file, Build build = Build::plain,
                    const std::vector<std::string>& flags = {});

class Library {
 public:
  explicit Library(const std::string& shared_object);
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  const msl::Kernel* find(const std::string& name) const;  // null: there is none
  std::vector<std::string> names() const;
  msl::Constant* constants() const { return constants_; }

 private:
  void* handle_ = nullptr;
  msl::Kernel* kernels_ = nullptr;
  msl::Constant* constants_ = nullptr;
};

struct Options {
  std::uint64_t seed = 0;           // 0: in order; else lanes, SIMD groups and threadgroups are shuffled by it
  bool strict = false;              // a SIMD operation that not all lanes of its group reach is a fault
  bool reorder_reductions = false;  // simd_sum and its kin, and matrix products, add up in another order
  bool flush_denormals = false;     // as Apple's compiler asks the GPU to
  bool stop_outside = false;        // ends a checked kernel at once that reads or writes outside: before it crashes
  bool approximate_exp = false;     // exp, log, pow, tanh as the GPU's fast instructions
};

struct Memory {
  void* data = nullptr;
  std::size_t bytes = 0;     // from data to the end
  bool is_argument = false;  // few bytes that come with the dispatch (setBytes): no buffer's
};

struct Size {
  unsigned width = 1, height = 1, depth = 1;
};

struct Dispatch {
  const msl::Kernel* kernel = nullptr;
  const Library* library = nullptr;  // whose function constants are set; null: none are
  std::map<unsigned, Memory> buffers;
  std::map<unsigned, std::size_t> threadgroup_bytes;
  std::map<unsigned, std::vector<unsigned char>> constants;  // by index, as many bytes as the type has
  Size groups;  // or, when counts_threads, threads of the whole grid: groups at its edge are smaller
  Size threads_per_group;
  bool counts_threads = false;
  bool concurrent = false;        // not ordered after the dispatches before it: see end_epoch
  std::vector<Memory> reachable;  // what pointers inside buffers may lead to
  Options options = {};
};

struct Statistics {
  std::uint64_t threads = 0, threadgroups = 0, barriers = 0, simd_operations = 0;
  std::uint64_t divergent = 0;     // SIMD operations that not all lanes of a group reached
  std::uint64_t absent_lanes = 0;  // shuffles from a lane that was not there
  std::size_t threadgroup_bytes = 0;
};

Statistics run(const Dispatch& dispatch);

// Dispatches of one concurrent encoder may run at the same time, unless a barrier stands between them. The race checker
// so takes all of them for one epoch, until this: for all memory, or for that of one buffer. A dispatch that is not
// concurrent begins an epoch of its own.
void end_epoch();
void end_epoch(Memory buffer);

}  // namespace metal_emulator

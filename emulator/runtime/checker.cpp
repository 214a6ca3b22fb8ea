#include "checker.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstring>

namespace metal_emulator {
namespace {

constexpr std::size_t page_bytes = 4096;
constexpr std::size_t most_findings = 20;  // of one dispatch: the rest repeats

// file:line of an instruction of a kernel, from its debug information.
std::string place_of(std::size_t pc) {
  Dl_info info;
  if (!::dladdr(reinterpret_cast<void*>(pc), &info)) return "?";
  std::string object;  // as a shell wants it between quotes
  for (const char* c = info.dli_fname; *c; ++c) object += *c == '\'' ? "'\\''" : std::string(1, *c);
  char offset[32];
  std::snprintf(offset, sizeof offset, "0x%zx", pc - 1 - reinterpret_cast<std::size_t>(info.dli_fbase));
  const std::string command =
      "llvm-symbolizer-19 --inlines --basenames --functions=none --obj='" + object + "' " + offset + " 2>/dev/null";
  std::string place = "?";
  FILE* const lines = ::popen(command.c_str(), "r");
  if (!lines) return place;
  char line[400];
  while (std::fgets(line, sizeof line, lines)) {
    line[std::strcspn(line, "\n")] = 0;
    // Innermost first: the first that lies in the kernel's own file, not in the shim (whose headers end in .h).
    if (place == "?" && std::strstr(line, ".metal:")) place = line;
  }
  ::pclose(lines);
  return place;
}

bool is_constant_table(std::size_t address) {  // in the kernel's own shared object
  Dl_info info;
  return ::dladdr(reinterpret_cast<void*>(address), &info) != 0;
}

}  // namespace

Checker& Checker::instance() {
  static Checker checker;
  return checker;
}

void Checker::ignore(std::size_t base, std::size_t bytes) {
  ignored_base_ = base;
  ignored_bytes_ = bytes;
}

// ---- epochs and phases ----

void Checker::begin(const char* kernel, bool concurrent, const std::vector<Memory>& reachable,
                    std::size_t threadgroup_base, std::size_t threadgroup_bytes) {
  if (!concurrent) end_epoch();
  kernel_ = kernel;
  threadgroup_base_ = threadgroup_base;
  threadgroup_bytes_ = threadgroup_bytes;
  threadgroup_.clear();
  device_.clear();
  for (const Memory& m : reachable) {
    const std::size_t begin = reinterpret_cast<std::size_t>(m.data);
    std::uint32_t epoch = epoch_;
    for (const auto& [buffer, its_epoch] : buffer_epochs_) {
      const std::size_t other = reinterpret_cast<std::size_t>(buffer.data);
      if (begin < other + buffer.bytes && other < begin + m.bytes) epoch = its_epoch;
    }
    device_.push_back({begin, begin + m.bytes, epoch, true});
  }
}

void Checker::end() {
  is_on_ = false;
  threadgroup_.clear();
}

void Checker::end_epoch() {
  epoch_ = ++newest_epoch_;
  buffer_epochs_.clear();
}

void Checker::end_epoch(Memory buffer) { buffer_epochs_.emplace_back(buffer, ++newest_epoch_); }

void Checker::begin_threadgroup() { ++group_; }

void Checker::allow_threadgroup_memory(const void* base, std::size_t bytes, bool is_written) {
  const std::size_t begin = reinterpret_cast<std::size_t>(base);
  threadgroup_.push_back({begin, begin + bytes, 0, is_written});
}

void Checker::barrier(unsigned flags) {
  constexpr unsigned device_flag = 1, threadgroup_flag = 2;  // mem_flags
  if (flags & threadgroup_flag) ++phase_[static_cast<int>(Space::threadgroup)];
  if (flags & device_flag) ++phase_[static_cast<int>(Space::device)];
}

void Checker::simdgroup_barrier(unsigned simdgroup, unsigned flags) {
  constexpr unsigned device_flag = 1, threadgroup_flag = 2;
  if (flags & threadgroup_flag) ++simd_phase_[simdgroup][static_cast<int>(Space::threadgroup)];
  if (flags & device_flag) ++simd_phase_[simdgroup][static_cast<int>(Space::device)];
}

// ---- an access ----

bool Checker::access(const volatile void* address, std::size_t bytes, bool is_write, bool is_atomic, std::size_t pc) {
  const std::size_t begin = reinterpret_cast<std::size_t>(address), end = begin + bytes;
  if (begin - ignored_base_ < ignored_bytes_) return true;
  const Space space = begin - threadgroup_base_ < threadgroup_bytes_ ? Space::threadgroup : Space::device;
  const Region* const region = region_of(begin, bytes, space, pc, is_write);
  if (!region) return is_constant_table(begin);
  const int s = static_cast<int>(space);
  Access now{region->epoch, group_, phase_[s], simd_phase_[thread_ / 32][s], pc, static_cast<std::uint16_t>(thread_), 0,
             is_atomic};
  for (std::size_t at = begin; at < end;) {
    const std::size_t cell_end = (at / 4 + 1) * 4, stop = cell_end < end ? cell_end : end;
    now.mask = 0;
    for (std::size_t byte = at; byte < stop; ++byte) now.mask = static_cast<std::uint8_t>(now.mask | 1u << (byte & 3));
    cell_access(at, now, space, is_write, region->is_written);
    at = stop;
  }
  return true;
}

const Checker::Region* Checker::region_of(std::size_t address, std::size_t bytes, Space space, std::size_t pc,
                                          bool is_write) {
  for (const Region& r : space == Space::device ? device_ : threadgroup_) {
    if (address >= r.begin && address + bytes <= r.end) return &r;
  }
  if (space == Space::threadgroup) {
    report("outside of threadgroup memory", address, space, nullptr, pc, is_write);
  } else if (!is_constant_table(address)) {
    report("outside of every buffer", address, space, nullptr, pc, is_write);
  }
  return nullptr;
}

Checker::Cell& Checker::cell_of(std::size_t address) {
  const std::size_t page = address / page_bytes;
  if (!last_ || page != last_page_) {
    Page*& found = pages_[page];
    if (!found) found = new Page{};
    last_page_ = page;
    last_ = found;
  }
  return last_->cells[address % page_bytes / 4];
}

// Is the earlier access before, for Metal, the one now?
bool Checker::is_ordered(const Access& before, const Access& now, Space space) const {
  if (before.epoch != now.epoch && space == Space::device) return true;
  if (before.group != now.group) return space == Space::threadgroup;  // another threadgroup has memory of its own
  if (before.thread == now.thread || before.phase != now.phase) return true;
  return before.thread / 32 == now.thread / 32 && before.simd_phase != now.simd_phase;
}

void Checker::cell_access(std::size_t address, const Access& now, Space space, bool is_write, bool is_written) {
  Cell& cell = cell_of(address);
  const auto conflicts = [&](const Access& before) {
    return (before.mask & now.mask) && !(before.is_atomic && now.is_atomic) && !is_ordered(before, now, space);
  };
  if (conflicts(cell.write)) {
    report("unordered after a write", address, space, &cell.write, now.pc, is_write);
  }
  if (is_write) {
    for (const Access& read : cell.reads) {
      if (conflicts(read)) report("unordered after a read", address, space, &read, now.pc, true);
    }
    const bool adds = cell.write.group == now.group && cell.write.thread == now.thread;
    const std::uint8_t others = adds ? cell.write.mask : std::uint8_t{0};
    cell.write = now;
    cell.write.mask = static_cast<std::uint8_t>(now.mask | others);
    return;
  }
  if (space == Space::threadgroup && !is_written && cell.write.group != group_) {
    report("of threadgroup memory that was never written", address, space, nullptr, now.pc, false);
  }
  // Of the readers the latest is kept, and the latest of another SIMD group (or else of another thread).
  Access& latest = cell.reads[0];
  if (latest.group == now.group && latest.epoch == now.epoch && latest.thread != now.thread) {
    const bool is_elsewhere = latest.thread / 32 != now.thread / 32;
    const bool kept_is_here = cell.reads[1].group == now.group && cell.reads[1].thread / 32 != now.thread / 32;
    if (is_elsewhere || !kept_is_here) cell.reads[1] = latest;
  } else if (latest.group != now.group && latest.epoch == now.epoch) {
    cell.reads[1] = latest;  // of another threadgroup, or dispatch
  }
  latest = now;
}

// ---- findings ----

void Checker::report(const char* what, std::size_t address, Space space, const Access* other, std::size_t pc,
                     bool is_write) {
  if (!seen_.insert({pc, other ? other->pc : 0}).second || seen_.size() > most_findings) return;
  std::string line = std::string{"kernel "} + kernel_ + ": " + (is_write ? "write " : "read ") + what;
  line += space == Space::threadgroup ? " (threadgroup memory)" : " (device memory)";
  line += " at " + place_of(pc) + ", thread " + std::to_string(thread_);
  if (other) {
    line += "; the other: " + std::string{other->is_atomic ? "atomic, " : ""} + place_of(other->pc) + ", thread " +
            std::to_string(other->thread) +
            (other->group == group_ ? " of the same threadgroup" : " of another threadgroup");
  }
  char where[32];
  std::snprintf(where, sizeof where, ", address %zx", address);
  misplaced(line + where);
}

void Checker::misplaced(const std::string& what) { findings_ += (findings_.empty() ? "" : "\n") + what; }

std::string Checker::take_findings() {
  std::string taken;
  taken.swap(findings_);
  seen_.clear();
  return taken;
}

void end_epoch() { Checker::instance().end_epoch(); }

void end_epoch(Memory buffer) { Checker::instance().end_epoch(buffer); }

}  // namespace metal_emulator

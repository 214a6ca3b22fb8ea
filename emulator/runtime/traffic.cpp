#include "traffic.h"

#include <algorithm>

#include "executor.h"

namespace metal_emulator {

Traffic& Traffic::instance() {
  static Traffic traffic;
  return traffic;
}

void Traffic::start() {
  begin_dispatch();
  lines_.clear();
  is_on_ = true;
}

void Traffic::stop() {
  begin_dispatch();
  is_on_ = false;
}

void Traffic::begin_dispatch() {
  begin_threadgroup();
  for (const auto& [line, touched] : dispatch_) {
    lines_[line].bytes_read += touched.read.count();
    lines_[line].bytes_written += touched.written.count();
  }
  dispatch_.clear();
}

// Occurrences are counted anew in each threadgroup; what only some lanes loaded is not judged.
void Traffic::begin_threadgroup() {
  for (const auto& [line, touched] : group_) {
    TrafficOf& sum = lines_[line];
    sum.group_bytes_read += touched.read.count();
    sum.group_lines_read += touched.read.any() ? 1 : 0;
    dispatch_[line].read |= touched.read;
    dispatch_[line].written |= touched.written;
  }
  group_.clear();
  open_.clear();
  times_.clear();
}

void Traffic::access(const volatile void* address, std::size_t bytes, bool is_write, std::size_t pc) {
  if (!is_on_ || !Executor::is_device_memory(address)) return;
  Wave* wave = nullptr;
  Key key{};
  if (!is_write) {
    const unsigned thread = Executor::instance().thread();
    std::vector<std::uint32_t>& times = times_[pc];
    if (times.size() <= thread) times.resize(thread + 1);
    key = {pc, thread / lanes, times[thread]++};
    wave = &open_[key];
  }
  const std::size_t begin = reinterpret_cast<std::size_t>(address), end = begin + bytes;
  for (std::size_t at = begin; at < end;) {
    const std::size_t line = at / cache_line_bytes, stop = std::min(end, (line + 1) * cache_line_bytes);
    Bytes bytes_of_line;
    for (; at < stop; ++at) bytes_of_line.set(at % cache_line_bytes);
    Touched& touched = group_[line];
    (is_write ? touched.written : touched.read) |= bytes_of_line;
    if (wave) wave->lines[line] |= bytes_of_line;
  }
  if (wave && ++wave->lanes == lanes) {
    close(*wave);
    open_.erase(key);
  }
}

// The least: the distinct bytes, which many lanes may share, in as few lines as hold them. A broadcast needs one.
void Traffic::close(const Wave& wave) {
  std::size_t bytes = 0;
  for (const auto& [line, touched] : wave.lines) bytes += touched.count();
  TrafficOf& sum = lines_[wave.lines.begin()->first];
  sum.lines_together += wave.lines.size();
  sum.least_lines_together += (bytes + cache_line_bytes - 1) / cache_line_bytes;
}

TrafficOf Traffic::of(Memory memory) const {
  const std::size_t begin = reinterpret_cast<std::size_t>(memory.data) / cache_line_bytes;
  const std::size_t end =
      (reinterpret_cast<std::size_t>(memory.data) + memory.bytes + cache_line_bytes - 1) / cache_line_bytes;
  return sum(lines_.lower_bound(begin), lines_.lower_bound(end));
}

TrafficOf Traffic::all() const { return sum(lines_.begin(), lines_.end()); }

TrafficOf Traffic::sum(Lines::const_iterator begin, Lines::const_iterator end) {
  TrafficOf all;
  for (auto i = begin; i != end; ++i) {
    const TrafficOf& line = i->second;
    all.bytes_read += line.bytes_read;
    all.bytes_written += line.bytes_written;
    all.group_bytes_read += line.group_bytes_read;
    all.group_lines_read += line.group_lines_read;
    all.lines_together += line.lines_together;
    all.least_lines_together += line.least_lines_together;
  }
  return all;
}

}  // namespace metal_emulator

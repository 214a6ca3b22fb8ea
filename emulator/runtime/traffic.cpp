#include "traffic.h"

#include <algorithm>

#include "executor.h"

namespace metal_emulator {

Traffic& Traffic::instance() {
  static Traffic traffic;
  return traffic;
}

void Traffic::start() {
  is_on_ = true;
  lines_.clear();
  open_.clear();
  times_.clear();
}

// Occurrences are counted anew in each threadgroup; what only some lanes loaded is not judged.
void Traffic::begin_threadgroup() {
  open_.clear();
  times_.clear();
}

void Traffic::access(const volatile void* address, std::size_t bytes, bool is_write, std::size_t pc) {
  if (!is_on_ || !Executor::is_device_memory(address)) return;
  const std::size_t begin = reinterpret_cast<std::size_t>(address), end = begin + bytes;
  for (std::size_t at = begin; at < end;) {
    const std::size_t stop = std::min(end, (at / cache_line_bytes + 1) * cache_line_bytes);
    Line& line = lines_[at / cache_line_bytes];
    (is_write ? line.bytes_written : line.bytes_read) += stop - at;
    at = stop;
  }
  if (is_write) return;
  const unsigned thread = Executor::instance().thread();
  std::vector<std::uint32_t>& times = times_[pc];
  if (times.size() <= thread) times.resize(thread + 1);
  const Key key{pc, thread / lanes, times[thread]++};
  Wave& wave = open_[key];
  ++wave.lanes;
  wave.bytes += static_cast<std::uint32_t>(bytes);
  for (std::size_t l = begin / cache_line_bytes; l <= (end - 1) / cache_line_bytes; ++l) wave.lines.push_back(l);
  if (wave.lanes == lanes) {
    close(wave);
    open_.erase(key);
  }
}

// The least: the distinct bytes, which many lanes may share, in as few lines as hold them. A broadcast needs one.
void Traffic::close(Wave& wave) {
  std::sort(wave.lines.begin(), wave.lines.end());
  wave.lines.erase(std::unique(wave.lines.begin(), wave.lines.end()), wave.lines.end());
  const std::uint64_t least = (wave.bytes + cache_line_bytes - 1) / cache_line_bytes;
  Line& line = lines_[wave.lines.front()];
  line.together += wave.lines.size();
  line.least += std::min<std::uint64_t>(least, wave.lines.size());
}

TrafficOf Traffic::of(Memory memory) const {
  const std::size_t begin = reinterpret_cast<std::size_t>(memory.data) / cache_line_bytes;
  const std::size_t end =
      (reinterpret_cast<std::size_t>(memory.data) + memory.bytes + cache_line_bytes - 1) / cache_line_bytes;
  TrafficOf sum;
  for (auto i = lines_.lower_bound(begin); i != lines_.end() && i->first < end; ++i) {
    const Line& line = i->second;
    sum.bytes_read += line.bytes_read;
    sum.bytes_written += line.bytes_written;
    sum.distinct_lines_read += line.bytes_read > 0;
    sum.distinct_lines_written += line.bytes_written > 0;
    sum.lines_together += line.together;
    sum.least_lines_together += line.least;
  }
  return sum;
}

}  // namespace metal_emulator

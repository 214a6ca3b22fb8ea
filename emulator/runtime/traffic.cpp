#include "traffic.h"

#include <algorithm>
#include <iterator>

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

void Traffic::begin_dispatch(const std::vector<Memory>& reachable) {
  begin_threadgroup();
  buffers_.clear();
  for (const Memory& memory : reachable) {
    if (!memory.is_argument) buffers_.push_back(memory);
  }
  for (const auto& [line, touched] : dispatch_) {
    lines_[line].bytes_read += touched.read.count();
    lines_[line].bytes_written += touched.written.count();
  }
  dispatch_.clear();
}

void Traffic::begin_threadgroup() {
  for (const auto& [line, touched] : group_) {
    TrafficOf& sum = lines_[line];
    sum.group_bytes_read += touched.read.count();
    sum.group_lines_read += touched.read.any() ? 1 : 0;
    dispatch_[line].read |= touched.read;
    dispatch_[line].written |= touched.written;
  }
  group_.clear();
  for (const auto& [number, simd] : simds_) count(simd);
  simds_.clear();
}

void Traffic::access(const volatile void* address, std::size_t bytes, bool is_write, std::size_t pc) {
  if (!is_on_) return;
  const std::size_t begin = reinterpret_cast<std::size_t>(address), end = begin + bytes;
  const auto holds = [&](const Memory& m) { return begin - reinterpret_cast<std::size_t>(m.data) < m.bytes; };
  if (std::none_of(buffers_.begin(), buffers_.end(), holds)) return;
  Wave* wave = nullptr;
  if (!is_write) {
    const unsigned thread = Executor::instance().thread();
    wave = &simds_[thread / lanes].wave(pc, thread % lanes);
    ++wave->lanes;
  }
  for (std::size_t at = begin; at < end;) {
    const std::size_t line = at / cache_line_bytes, stop = std::min(end, (line + 1) * cache_line_bytes);
    Bytes bytes_of_line;
    for (; at < stop; ++at) bytes_of_line.set(at % cache_line_bytes);
    Touched& touched = group_[line];
    (is_write ? touched.written : touched.read) |= bytes_of_line;
    if (wave) wave->lines[line] |= bytes_of_line;
  }
}

Traffic::Wave& Traffic::SimdGroup::wave(std::size_t pc, unsigned lane) {
  Load& load = loads[pc];
  const std::uint32_t time = load.times[lane]++;
  if (time == load.waves.size()) {
    load.waves.push_back(waves.emplace(last[lane] == waves.end() ? waves.begin() : std::next(last[lane])));
  }
  return *(last[lane] = load.waves[time]);
}

void Traffic::together(unsigned simdgroup) {
  const auto found = simds_.find(simdgroup);
  if (found == simds_.end()) return;
  found->second.loads.clear();
  found->second.last.fill(std::prev(found->second.waves.end()));
}

// Loads together: the least are the distinct bytes, which many lanes may share, in as few lines as hold them. A
// broadcast needs one. What only some lanes loaded is not judged.
void Traffic::count(const SimdGroup& simd) {
  std::vector<std::size_t> at_hand;  // the last one last
  std::map<std::size_t, Bytes> read;
  for (const Wave& wave : simd.waves) {
    std::size_t bytes = 0;
    for (const auto& [line, touched] : wave.lines) {
      bytes += touched.count();
      read[line] |= touched;
      const auto found = std::find(at_hand.begin(), at_hand.end(), line);
      if (found == at_hand.end()) ++lines_[line].lines_fetched;
      if (found != at_hand.end() || at_hand.size() == lines_at_hand) {
        at_hand.erase(found != at_hand.end() ? found : at_hand.begin());
      }
      at_hand.push_back(line);
    }
    if (wave.lanes < lanes) continue;
    TrafficOf& sum = lines_[wave.lines.begin()->first];
    sum.lines_together += wave.lines.size();
    sum.least_lines_together += (bytes + cache_line_bytes - 1) / cache_line_bytes;
  }
  for (const auto& [line, bytes] : read) lines_[line].simd_bytes_read += bytes.count();
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
    all.simd_bytes_read += line.simd_bytes_read;
    all.lines_fetched += line.lines_fetched;
    all.lines_together += line.lines_together;
    all.least_lines_together += line.least_lines_together;
  }
  return all;
}

}  // namespace metal_emulator

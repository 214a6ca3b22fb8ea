#include "measure/ceilings.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "base/clock.h"

namespace rung {

namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;  // what a thread reads at a time
constexpr std::size_t kNear = 1024, kFar = 4096;      // bytes ahead
constexpr std::size_t kSlices = 8;                    // of a thread, so that one that comes late finds less to do

// Some times the last cache, so that little of it is still there when it is read again; but not more than an eighth of
// the memory.
std::size_t buffer_size() {
  std::size_t cache = std::size_t{32} << 20, memory = std::size_t{4} << 30;
#ifdef _SC_LEVEL3_CACHE_SIZE
  if (const long size = ::sysconf(_SC_LEVEL3_CACHE_SIZE); size > 0) cache = static_cast<std::size_t>(size);
#endif
  const long pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  if (pages > 0 && page > 0) memory = static_cast<std::size_t>(pages) * static_cast<std::size_t>(page);
  const std::size_t wanted = std::clamp<std::size_t>(8 * cache, std::size_t{256} << 20, std::size_t{512} << 20);
  return std::max(kPiece, std::min(wanted, memory / 8) / kPiece * kPiece);
}

}  // namespace

CeilingMeter::CeilingMeter(ThreadTeam& team, Reads reads, const Kernels& kernels)
    : team_(team),
      kernels_(kernels),
      bytes_(buffer_size()),
      huge_(arena_.take(bytes_)),
      small_(reads == Reads::all ? bytes_ : 0) {
  // Memory that was never written is all one page of zeros.
  team_.run(bytes_ / kPiece, [&](std::size_t begin, std::size_t end) {
    std::memset(huge_ + begin * kPiece, 1, (end - begin) * kPiece);
    if (small_.size() > 0) std::memset(small_.data() + begin * kPiece, 1, (end - begin) * kPiece);
  });
  if (reads == Reads::likely) {
    reads_ = {{1, 0, 0, true}, {1, kNear, kFar, true}, {4, kNear, 0, true}, {4, kNear, kFar, true}};
    return;
  }
  for (const bool huge_pages : {true, false}) {
    for (const std::size_t streams : {1u, 2u, 4u}) {
      for (const std::size_t near : {std::size_t{0}, kNear}) {
        for (const std::size_t far : {std::size_t{0}, kFar}) reads_.push_back({streams, near, far, huge_pages});
      }
    }
  }
}

CeilingMeter::Reading CeilingMeter::read(const ReadPattern& pattern, std::size_t first_piece, std::size_t pieces) {
  const std::byte* const from = (pattern.huge_pages ? huge_ : small_.data()) + first_piece * kPiece;
  const Clock::time_point start = Clock::now();
  team_.run(pieces, [&](std::size_t begin, std::size_t end) {
    for (std::size_t piece = begin; piece < end; ++piece) {
      kernels_.peaks.read(from + piece * kPiece, kPiece, pattern.streams, pattern.near_bytes, pattern.far_bytes);
    }
  });
  return {.bytes = static_cast<double>(pieces * kPiece), .seconds = seconds_since(start)};
}

CeilingMeter::Reading CeilingMeter::read_some(std::size_t about_bytes) {
  const auto slower = [](const ReadPattern& a, const ReadPattern& b) {
    return a.gb_per_s.median() < b.gb_per_s.median();
  };
  const ReadPattern& fastest = *std::max_element(reads_.begin(), reads_.end(), slower);
  const std::size_t all = bytes_ / kPiece, round = kPiece * team_.size();
  Reading sum;
  for (std::size_t left = (about_bytes + round - 1) / round * team_.size(); left > 0;) {
    const std::size_t pieces = std::min(left, all);
    if (next_piece_ + pieces > all) next_piece_ = 0;
    sum += read(fastest, next_piece_, pieces);
    next_piece_ += pieces;
    left -= pieces;
  }
  return sum;
}

template <class Peak>
double CeilingMeter::operations_per_second(Peak peak) {
  constexpr std::size_t kRounds = 20'000;  // some hundred microseconds
  std::atomic<std::uint64_t> operations{0};
  const Clock::time_point start = Clock::now();
  team_.run(team_.size() * kSlices, [&](std::size_t begin, std::size_t end) {
    for (std::size_t slice = begin; slice < end; ++slice) {
      operations.fetch_add(peak(kRounds), std::memory_order_relaxed);
    }
  });
  return static_cast<double>(operations.load()) / seconds_since(start) / 1e9;
}

// Of some moments: what a thread waits for when it is woken is no part of the peak.
template <class Peak>
double CeilingMeter::best_operations_per_second(Peak peak) {
  double best = 0;
  for (int i = 0; i < 10; ++i) best = std::max(best, operations_per_second(peak));
  return best;
}

void CeilingMeter::measure() {
  for (ReadPattern& pattern : reads_) pattern.gb_per_s.add(read(pattern, 0, bytes_ / kPiece).gb_per_s());
  int8_.add(best_operations_per_second(kernels_.peaks.int8));
  f32_.add(best_operations_per_second(kernels_.peaks.f32));
  bf16_.add(best_operations_per_second(kernels_.peaks.bf16 != nullptr ? kernels_.peaks.bf16 : kernels_.peaks.f32));
}

Ceilings CeilingMeter::ceilings() const {
  double read = 0;
  for (const ReadPattern& pattern : reads_) read = std::max(read, pattern.gb_per_s.median());
  return {
      .read_gb_per_s = read,
      .int8_gop_per_s = int8_.median(),
      .f32_gflop_per_s = f32_.median(),
      .bf16_gflop_per_s = bf16_.median(),
  };
}

}  // namespace rung

// What the fast backend made of a model's matrices (kernels/panels.h), with whoever owns the weights: so it goes when
// they go, and whoever uses the same weights, on however many devices, uses the same panels.  Milestone M6.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <mutex>

#include "base/arena.h"

namespace rung {

class PanelStore {
 public:
  PanelStore() = default;
  PanelStore(const PanelStore&) = delete;
  PanelStore& operator=(const PanelStore&) = delete;

  // A place for one more matrix. All places are made before the first is asked for.
  std::size_t add() {
    places_.emplace_back(nullptr);
    return places_.size() - 1;
  }

  // The panels at `place`. When they are first asked for, lay_out(memory) makes them in `size` zeroed bytes; those that
  // are made one after the other lie one after the other. May be called from several threads. Throws Error: no memory.
  template <class LayOut>
  const std::byte* panels(std::size_t place, std::size_t size, const LayOut& lay_out) {
    std::atomic<const std::byte*>& made = places_.at(place);
    if (const std::byte* const panels = made.load(std::memory_order_acquire)) return panels;
    const std::lock_guard lock(mutex_);
    if (const std::byte* const panels = made.load(std::memory_order_relaxed)) return panels;
    std::byte* const memory = arena_.take(size);
    lay_out(memory);
    made.store(memory, std::memory_order_release);
    return memory;
  }

 private:
  std::mutex mutex_;
  Arena arena_;
  std::deque<std::atomic<const std::byte*>> places_;  // which never moves them
};

}  // namespace rung

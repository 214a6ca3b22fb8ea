// What the fast backend made of a model's matrices (kernels/panels.h), with whoever owns the weights: so it goes when
// they go, and whoever uses the same weights, on however many devices, uses the same panels.  Milestone M6.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

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

  // What a backend keeps beside the weights, and what goes with them. `backend`: a number that no other has.
  class Companion {
   public:
    virtual ~Companion() = default;
  };
  template <class Make>
  Companion& companion(std::size_t backend, const Make& make) {
    const std::lock_guard lock(mutex_);
    for (const auto& [whose, companion] : companions_) {
      if (whose == backend) return *companion;
    }
    companions_.emplace_back(backend, make());
    return *companions_.back().second;
  }

 private:
  std::mutex mutex_;
  std::vector<std::pair<std::size_t, std::unique_ptr<Companion>>> companions_;
  Arena arena_;
  std::deque<std::atomic<const std::byte*>> places_;  // which never moves them
};

}  // namespace rung

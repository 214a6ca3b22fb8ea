// A fiber: a stack of its own, entered and left by swapping the registers that a function must keep.
#pragma once

#include <cstddef>
#include <vector>

namespace metal_emulator {

// Saves this side's registers on its stack and the stack pointer at *save, and goes on where `to` was saved.
extern "C" void msl_switch_stack(void** save, void* to);

struct Fiber {
  void* stack_pointer = nullptr;
};

class FiberPool {
 public:
  explicit FiberPool(void (*entry)());
  ~FiberPool();
  FiberPool(const FiberPool&) = delete;
  FiberPool& operator=(const FiberPool&) = delete;

  Fiber* take();           // one that will start, or start again, at `entry`
  void give_back(Fiber*);  // it is at the end of its work and waits for more
  void forget_all();       // after a fault: what is in the middle of its work never goes on

  std::size_t base() const { return base_; }  // of all stacks
  std::size_t bytes() const { return bytes_; }

 private:
  void (*entry_)();
  std::size_t base_ = 0, bytes_ = 0;
  std::vector<Fiber> fibers_;  // as many as there are stacks; never moved
  std::vector<Fiber*> idle_;
  std::size_t used_ = 0;
};

}  // namespace metal_emulator

#include "fiber.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <stdexcept>

#if defined(__x86_64__)
asm(R"(
.text
.globl msl_switch_stack
.type msl_switch_stack,@function
msl_switch_stack:
  push %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15
  mov %rsp,(%rdi)
  mov %rsi,%rsp
  pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp
  ret
.size msl_switch_stack,.-msl_switch_stack
)");
#elif defined(__aarch64__)
asm(R"(
.text
.globl msl_switch_stack
.type msl_switch_stack,%function
msl_switch_stack:
  sub sp,sp,#160
  stp x19,x20,[sp]
  stp x21,x22,[sp,#16]
  stp x23,x24,[sp,#32]
  stp x25,x26,[sp,#48]
  stp x27,x28,[sp,#64]
  stp x29,x30,[sp,#80]
  stp d8,d9,[sp,#96]
  stp d10,d11,[sp,#112]
  stp d12,d13,[sp,#128]
  stp d14,d15,[sp,#144]
  mov x9,sp
  str x9,[x0]
  mov sp,x1
  ldp x19,x20,[sp]
  ldp x21,x22,[sp,#16]
  ldp x23,x24,[sp,#32]
  ldp x25,x26,[sp,#48]
  ldp x27,x28,[sp,#64]
  ldp x29,x30,[sp,#80]
  ldp d8,d9,[sp,#96]
  ldp d10,d11,[sp,#112]
  ldp d12,d13,[sp,#128]
  ldp d14,d15,[sp,#144]
  add sp,sp,#160
  ret
.size msl_switch_stack,.-msl_switch_stack
)");
#else
#error "fibers are written for x86-64 and arm64"
#endif

namespace metal_emulator {
namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t stack_bytes = 256 * 1024;
constexpr std::size_t most_fibers = 1024;  // threads of the largest threadgroup

// A stack on which msl_switch_stack finds zeros for registers and `entry` to return to.
void* prepared(std::size_t top, void (*entry)()) {
#if defined(__x86_64__)
  void** s = reinterpret_cast<void**>(top);
  *--s = nullptr;  // where a caller's address would lie: keeps the stack aligned as at a function's entry
  *--s = reinterpret_cast<void*>(entry);
  for (int i = 0; i < 6; ++i) *--s = nullptr;
  return s;
#else
  void** s = reinterpret_cast<void**>(top - 160);
  std::memset(s, 0, 160);
  s[11] = reinterpret_cast<void*>(entry);  // x30, the return address
  return s;
#endif
}

// Tops at equal offsets of their pages would share cache sets: they are staggered.
std::size_t top_of(std::size_t base, std::size_t i) {
  const std::size_t stagger = i * 832 % 32768 / 64 * 64;
  return base + (i + 1) * (stack_bytes + page) - stagger;
}

}  // namespace

FiberPool::FiberPool(void (*entry)()) : entry_(entry), bytes_(most_fibers * (stack_bytes + page)) {
  void* const memory =
      ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error{"no memory for the stacks of GPU threads"};
  base_ = reinterpret_cast<std::size_t>(memory);
  fibers_.resize(most_fibers);
}

FiberPool::~FiberPool() { ::munmap(reinterpret_cast<void*>(base_), bytes_); }

Fiber* FiberPool::take() {
  if (!idle_.empty()) {
    Fiber* const fiber = idle_.back();
    idle_.pop_back();
    return fiber;
  }
  if (used_ == most_fibers) throw std::logic_error{"more GPU threads than a threadgroup has"};
  Fiber* const fiber = &fibers_[used_];
  // A guard page below each stack turns an overflow into a fault.
  ::mprotect(reinterpret_cast<void*>(base_ + used_ * (stack_bytes + page)), page, PROT_NONE);
  fiber->stack_pointer = prepared(top_of(base_, used_), entry_);
  ++used_;
  return fiber;
}

void FiberPool::give_back(Fiber* fiber) { idle_.push_back(fiber); }

void FiberPool::forget_all() {
  idle_.clear();
  for (std::size_t i = 0; i < used_; ++i) {
    fibers_[i].stack_pointer = prepared(top_of(base_, i), entry_);
    idle_.push_back(&fibers_[i]);
  }
}

}  // namespace metal_emulator

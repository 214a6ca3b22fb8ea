// The processor's mode for denormal numbers, for as long as this lives: kept, or (flush) taken for zero when read and
// when written. Apple's compiler marks every kernel `air.compile.denorms_disable`, even with fast math off.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace metal_emulator {

class FloatingPoint {
 public:
  explicit FloatingPoint(bool flush) {
#if defined(__x86_64__)
    before_ = _mm_getcsr();
    constexpr unsigned flush_to_zero = 0x8000, denormals_are_zero = 0x0040;
    const unsigned both = flush_to_zero | denormals_are_zero;
    _mm_setcsr(flush ? before_ | both : before_ & ~both);
#elif defined(__aarch64__)
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    constexpr unsigned long flush_to_zero = 1ul << 24;
    const unsigned long mode = flush ? before_ | flush_to_zero : before_ & ~flush_to_zero;
    asm volatile("msr fpcr, %0" : : "r"(mode));
#endif
  }
  ~FloatingPoint() {
#if defined(__x86_64__)
    _mm_setcsr(before_);
#elif defined(__aarch64__)
    asm volatile("msr fpcr, %0" : : "r"(before_));
#endif
  }
  FloatingPoint(const FloatingPoint&) = delete;
  FloatingPoint& operator=(const FloatingPoint&) = delete;

 private:
#if defined(__x86_64__)
  unsigned before_ = 0;
#elif defined(__aarch64__)
  unsigned long before_ = 0;
#endif
};

}  // namespace metal_emulator

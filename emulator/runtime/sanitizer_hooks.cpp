// A checked kernel is compiled with clang's -fsanitize=thread,alignment,array-bounds: the compiler puts a call before
// each access. Not the sanitizers' own runtimes answer (they know CPU threads, 255 of them), but these functions.
#include <cstring>
#include <string>

#include "checker.h"
#include "executor.h"
#include "traffic.h"

namespace {

void access(const volatile void* p, std::size_t bytes, bool is_write, void* pc, bool is_atomic = false) {
  if (!metal_emulator::Checker::instance().is_on()) return;
  const std::size_t at = reinterpret_cast<std::size_t>(pc);
  const bool is_inside = metal_emulator::Checker::instance().access(p, bytes, is_write, is_atomic, at);
  metal_emulator::Executor& executor = metal_emulator::Executor::instance();
  if (!is_inside && executor.stops_outside()) executor.fail("ended there", nullptr, 0);
  metal_emulator::Traffic::instance().access(p, bytes, is_write, at);
}

// What clang passes of a place in the source (compiler-rt, ubsan_value.h): a part of each report's data.
struct SourceLocation {
  const char* file;
  unsigned line, column;
};

void misplaced(const char* what, const SourceLocation* at) {
  metal_emulator::Checker::instance().misplaced(std::string{what} + " at " + (at->file ? at->file : "?") + ":" +
                                                std::to_string(at->line));
}

}  // namespace

#define PC __builtin_return_address(0)
#define ACCESS(bytes)                                                         \
  void __tsan_read##bytes(void* p) { access(p, bytes, false, PC); }           \
  void __tsan_write##bytes(void* p) { access(p, bytes, true, PC); }           \
  void __tsan_volatile_read##bytes(void* p) { access(p, bytes, false, PC); }  \
  void __tsan_volatile_write##bytes(void* p) { access(p, bytes, true, PC); }  \
  void __tsan_unaligned_read##bytes(void* p) { access(p, bytes, false, PC); } \
  void __tsan_unaligned_write##bytes(void* p) { access(p, bytes, true, PC); }

#define ATOMIC(bits, T)                                                                     \
  T __tsan_atomic##bits##_load(const volatile T* p, int) {                                  \
    access(p, bits / 8, false, PC, true);                                                   \
    return __atomic_load_n(p, __ATOMIC_RELAXED);                                            \
  }                                                                                         \
  void __tsan_atomic##bits##_store(volatile T* p, T v, int) {                               \
    access(p, bits / 8, true, PC, true);                                                    \
    __atomic_store_n(p, v, __ATOMIC_RELAXED);                                               \
  }                                                                                         \
  T __tsan_atomic##bits##_exchange(volatile T* p, T v, int) {                               \
    access(p, bits / 8, true, PC, true);                                                    \
    return __atomic_exchange_n(p, v, __ATOMIC_RELAXED);                                     \
  }                                                                                         \
  T __tsan_atomic##bits##_fetch_add(volatile T* p, T v, int) {                              \
    access(p, bits / 8, true, PC, true);                                                    \
    return __atomic_fetch_add(p, v, __ATOMIC_RELAXED);                                      \
  }                                                                                         \
  int __tsan_atomic##bits##_compare_exchange_weak(volatile T* p, T* e, T v, int, int) {     \
    access(p, bits / 8, true, PC, true);                                                    \
    return __atomic_compare_exchange_n(p, e, v, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED);  \
  }                                                                                         \
  int __tsan_atomic##bits##_compare_exchange_strong(volatile T* p, T* e, T v, int, int) {   \
    access(p, bits / 8, true, PC, true);                                                    \
    return __atomic_compare_exchange_n(p, e, v, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED); \
  }                                                                                         \
  T __tsan_atomic##bits##_compare_exchange_val(volatile T* p, T e, T v, int, int) {         \
    access(p, bits / 8, true, PC, true);                                                    \
    __atomic_compare_exchange_n(p, &e, v, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);       \
    return e;                                                                               \
  }

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)
ATOMIC(8, unsigned char)
ATOMIC(16, unsigned short)
ATOMIC(32, unsigned)
ATOMIC(64, unsigned long)

void __tsan_read_range(void* p, unsigned long n) { access(p, n, false, PC); }
void __tsan_write_range(void* p, unsigned long n) { access(p, n, true, PC); }

void* __tsan_memcpy(void* to, const void* from, unsigned long n) {
  access(from, n, false, PC);
  access(to, n, true, PC);
  return std::memcpy(to, from, n);
}
void* __tsan_memmove(void* to, const void* from, unsigned long n) {
  access(from, n, false, PC);
  access(to, n, true, PC);
  return std::memmove(to, from, n);
}
void* __tsan_memset(void* to, int c, unsigned long n) {
  access(to, n, true, PC);
  return std::memset(to, c, n);
}

void __ubsan_handle_type_mismatch_v1(const SourceLocation* data, std::size_t) {
  misplaced("an address is not aligned for its type", data);
}
void __ubsan_handle_out_of_bounds(const SourceLocation* data, std::size_t) {
  misplaced("an index is out of its array's bounds", data);
}
void __ubsan_handle_alignment_assumption(const SourceLocation* data, std::size_t, std::size_t, std::size_t) {
  misplaced("an address is not aligned as assumed", data);
}

}  // extern "C"

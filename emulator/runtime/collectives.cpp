// What compiled kernels call: declared for them in shim/msl/base.h.
#include "executor.h"

using metal_emulator::Executor;
using metal_emulator::State;

extern "C" {

bool msl_approximate = false;

void msl_assertion_failed(const char* expression, const char* file, unsigned line) {
  Executor::instance().fail(std::string{"not so: "} + expression, file, line);
}

void msl_threadgroup_barrier(unsigned flags, const char* file, unsigned line) {
  Executor::instance().wait(State::threadgroup_barrier, flags, file, line);
}

void msl_simdgroup_barrier(unsigned flags, const char* file, unsigned line) {
  Executor::instance().wait(State::simdgroup_barrier, flags, file, line);
}

metal_emulator::Exchange* msl_together(const void* in, unsigned bytes, unsigned width, const char* file,
                                       unsigned line) {
  return Executor::instance().together(in, bytes, width, file, line);
}

unsigned msl_lane() { return Executor::instance().lane(); }

void msl_absent_lane(unsigned lane, const char* file, unsigned line) {
  Executor::instance().absent_lane(lane, file, line);
}

void* msl_threadgroup_variable(unsigned line, unsigned index, std::size_t bytes, bool zero) {
  return Executor::instance().threadgroup_variable(line, index, bytes, zero);
}

bool msl_constant_is_set(const void* address) { return Executor::instance().constant_is_set(address); }

}  // extern "C"

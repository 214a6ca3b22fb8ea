// The door between the engine and a learner's kernel, as entry.h is for C++: one C function, rung_exercise, that hands
// the arguments to the kernel as buffers and has the emulator run it, checked. A learner does not see this file.
//
//   RUNG_KERNEL(softmax, void(std::span<float> out, std::span<const float> x, std::size_t columns,
//                             std::size_t rows, std::size_t threads, std::size_t order))
//
// Of the type, spans are buffers 0, 1, …, and numbers behind them `constant uint&` or `constant float&`; the last three
// are how many threadgroups, of how many threads each, and in which order the emulator runs them (0: one after the
// other). Besides this, the emulator's runtime and the compiled kernel are in the shared object.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "entry.h"
#include "emulator/emulator.h"
#include "emulator/runtime/executor.h"

namespace rung_kernel {

inline const msl::Kernel* kernels = nullptr;  // that this shared object brings
inline const RungHost* host = nullptr;
inline bool is_not_yet = false;

inline const msl::Kernel* find(const char* name) {
  for (const msl::Kernel* k = kernels; k != nullptr; k = k->next) {
    if (std::strcmp(k->name, name) == 0) return k;
  }
  return nullptr;
}

// What a dispatch is made of.
struct Call {
  metal_emulator::Dispatch dispatch;
  unsigned buffers = 0;
  unsigned char numbers[16][4] = {};  // of the arguments that are numbers

  void bind(void* data, std::size_t bytes) {
    static unsigned char nothing[16];  // an empty span has an address, too
    dispatch.buffers[buffers++] = {data == nullptr ? nothing : data, bytes};
  }
  template <class T>
  void add(const std::span<T>* /* type */, const RungValue& value) {
    bind(value.data, static_cast<std::size_t>(value.size) * sizeof(T));
  }
  template <class T>
  void add(const T* /* type */, const RungValue& value) {
    unsigned char* const place = numbers[buffers];
    if constexpr (std::is_floating_point_v<T>) {
      const float number = static_cast<float>(value.number);
      std::memcpy(place, &number, sizeof number);
    } else {
      const auto number = static_cast<std::uint32_t>(value.number);
      std::memcpy(place, &number, sizeof number);
    }
    bind(place, 4);
  }
};

// Writes what is wrong into `words`; returns whether something is.
template <class... Args>
bool run(const char* name, void (*)(Args...), const RungValue* values, char* words, std::size_t room) {
  constexpr std::size_t count = sizeof...(Args) - 3;
  Call call;
  std::size_t i = 0;
  const auto add = [&](const auto* type) {
    if (i < count) call.add(type, values[1 + i]);
    ++i;
  };
  (add(static_cast<const std::remove_cvref_t<Args>*>(nullptr)), ...);
  const auto number = [&](std::size_t n) { return static_cast<unsigned>(values[1 + count + n].number); };
  metal_emulator::Dispatch& dispatch = call.dispatch;
  dispatch.kernel = find(name);
  if (dispatch.kernel == nullptr) {
    std::snprintf(words, room, "there is no kernel '%s' in your file", name);
    return true;
  }
  dispatch.groups = {number(0), 1, 1};
  dispatch.threads_per_group = {number(1), 1, 1};
  dispatch.options = {.seed = number(2), .strict = true, .stop_outside = true};
  is_not_yet = false;
  try {
    metal_emulator::run(dispatch);
    return false;
  } catch (const std::exception& fault) {
    std::snprintf(words, room, "%s", fault.what());
    return true;
  }
}

}  // namespace rung_kernel

// The kernel calls it, on a stack that is no ordinary one: the emulator ends the dispatch.
void rung_kernel_not_yet() {
  rung_kernel::is_not_yet = true;
  metal_emulator::Executor::instance().fail("not yet", nullptr, 0);
}

extern "C" void msl_register_kernel(msl::Kernel* kernel) {
  kernel->next = const_cast<msl::Kernel*>(rung_kernel::kernels);
  rung_kernel::kernels = kernel;
}
extern "C" void msl_register_constant(msl::Constant*) {}  // none can be set here

extern "C" __attribute__((visibility("default"))) void rung_host(const RungHost* host) { rung_kernel::host = host; }

// not_yet and fault do not come back: they jump over this frame, so nothing in it has a destructor.
#define RUNG_KERNEL(name, ...)                                                                        \
  extern "C" __attribute__((visibility("default"))) void rung_exercise(RungValue* values) {           \
    static char words[1 << 14];                                                                       \
    using Pointer = rung_entry::Pointer<__VA_ARGS__>;                                                 \
    if (!rung_kernel::run(#name, static_cast<Pointer>(nullptr), values, words, sizeof words)) return; \
    if (rung_kernel::is_not_yet) rung_kernel::host->not_yet(#name);                                   \
    rung_kernel::host->fault(words);                                                                  \
  }

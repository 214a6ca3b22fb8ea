#include "kernels/kernels.h"

#include <array>

#include "base/environment.h"
#include "base/error.h"
#include "kernels/scalar/scalar.h"

namespace rung {

std::span<const Kernels* const> supported_kernels() {
  static const std::array<const Kernels*, 1> kSets{&scalar::kernels};  // best first
  return kSets;
}

const Kernels& chosen_kernels() {
  const std::string& wanted = environment().kernels;
  if (wanted.empty()) return *supported_kernels().front();
  std::string known;
  for (const Kernels* k : supported_kernels()) {
    if (k->name == wanted) return *k;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", k->name);
  }
  fail("RUNG_KERNELS={}: not a kernel set that this machine supports ({})", wanted, known);
}

}  // namespace rung

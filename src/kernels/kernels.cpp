#include "kernels/kernels.h"

#include <vector>

#include "base/environment.h"
#include "base/error.h"
#include "kernels/avx2/avx2.h"
#include "kernels/avx512/avx512.h"
#include "kernels/neon/neon.h"
#include "kernels/scalar/scalar.h"
#include "kernels/wasm/simd128.h"

namespace rung {

bool is_amd_processor() {
#if defined(__x86_64__)
  static const bool kIsAmd = __builtin_cpu_is("amd");
  return kIsAmd;
#else
  return false;
#endif
}

std::span<const Kernels* const> supported_kernels() {
  static const std::vector<const Kernels*> kSets = [] {  // best first
    std::vector<const Kernels*> sets;
#if defined(__x86_64__)
    if (avx512amx::supported()) sets.push_back(&avx512amx::kernels());
    // AMD's processors multiply more of bf16 than of floats in the same time, Intel's fewer.
    if (avx512bf16::supported() && is_amd_processor()) sets.push_back(&avx512bf16::kernels());
    if (avx512vnni::supported()) sets.push_back(&avx512vnni::kernels());
    if (avx512bf16::supported() && !is_amd_processor()) sets.push_back(&avx512bf16::kernels());
    if (avx512::supported()) sets.push_back(&avx512::kernels());
    if (avx2vnni::supported()) sets.push_back(&avx2vnni::kernels());
    if (avx2::supported()) sets.push_back(&avx2::kernels());
#endif
#if defined(__aarch64__)
    if (neoni8mm::supported()) sets.push_back(&neoni8mm::kernels());
    if (neon::supported()) sets.push_back(&neon::kernels());
#endif
#if defined(__wasm_simd128__)
    sets.push_back(&simd128::kernels());
#endif
    sets.push_back(&scalar::kernels);
    return sets;
  }();
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

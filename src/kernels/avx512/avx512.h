// The kernels with AVX-512, with VNNI, with bf16, and with AMX.  Milestone M6.
#pragma once

#include "kernels/kernels.h"

namespace rung::avx512 {

// AVX-512 with bytes and words (BW), double and quad words (DQ) and short registers (VL): Intel's servers from Skylake
// (2017) on.
bool supported();
const Kernels& kernels();  // only where supported

}  // namespace rung::avx512

// The same with VNNI's integer dot product: Intel from Cascade Lake on, AMD from Zen 4 on.
namespace rung::avx512vnni {

bool supported();
const Kernels& kernels();

}  // namespace rung::avx512vnni

// And with dot products of bf16: Intel from Cooper Lake (2020) on, AMD from Zen 4 on.
namespace rung::avx512bf16 {

bool supported();
const Kernels& kernels();

}  // namespace rung::avx512bf16

// And with AMX's tiles: Intel's servers from Sapphire Rapids (2023) on, where the system lets this process use them.
namespace rung::avx512amx {

bool supported();
const Kernels& kernels();

}  // namespace rung::avx512amx

// The kernels with AVX-512, and with AVX-512 and VNNI.  Milestone M6.
#pragma once

#include "kernels/kernels.h"

namespace rung::avx512 {

// AVX-512 with bytes and words (BW), double and quad words (DQ) and short registers (VL): Intel's servers from Skylake (2017) on.
bool supported();
const Kernels& kernels();  // only where supported

}  // namespace rung::avx512

// The same with VNNI's integer dot product: Intel from Cascade Lake on, AMD from Zen 4 on.
namespace rung::avx512vnni {

bool supported();
const Kernels& kernels();

}  // namespace rung::avx512vnni

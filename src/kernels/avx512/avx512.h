// The kernels with AVX-512.  Milestone M6.
#pragma once

#include "kernels/kernels.h"

namespace rung::avx512 {

// AVX-512 with the integer dot products of VNNI: Intel from Ice Lake on, AMD from Zen 4 on.
bool supported();
const Kernels& kernels();  // only where supported

}  // namespace rung::avx512

// The kernels with AVX2, and with AVX2 and VNNI.  Milestone M6.
#pragma once

#include "kernels/kernels.h"

namespace rung::avx2 {

// AVX2 with FMA and F16C: Intel from Haswell (2013) on, AMD from Zen (2017) on.
bool supported();
const Kernels& kernels();  // only where supported

}  // namespace rung::avx2

// The same registers with VNNI's integer dot product: Intel from Alder Lake on, AMD from Zen 5 on.
namespace rung::avx2vnni {

bool supported();
const Kernels& kernels();

}  // namespace rung::avx2vnni

// The kernels with NEON.  Milestone M6.
#pragma once

#include "kernels/kernels.h"

namespace rung::neon {

// 64-bit ARM with the dot product of ARMv8.2: Apple from M1 on, Cortex from A55 and A76 on.
bool supported();
const Kernels& kernels();  // only where supported

}  // namespace rung::neon

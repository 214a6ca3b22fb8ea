// The kernels with NEON.  Milestone M6.
#pragma once

#include "kernels/kernels.h"

namespace rung {

// 64-bit ARM with the dot product of ARMv8.2: Apple from M1 on, Cortex from A55 and A76 on.
namespace neon {
bool supported();
const Kernels& kernels();  // only where supported
}  // namespace neon

// And with products of small matrices of bytes (FEAT_I8MM of ARMv8.6): Apple from M2 on, Neoverse from V1 and N2 on.
namespace neoni8mm {
bool supported();
const Kernels& kernels();  // only where supported
}  // namespace neoni8mm

}  // namespace rung

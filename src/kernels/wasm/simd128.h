// The kernels with WebAssembly's SIMD.  Milestone M6.
#pragma once

#include "kernels/kernels.h"

// Registers of 128 bits, in every browser since 2023 (Safari 16.4). A page that uses an instruction which the browser
// lacks is refused as a whole, so there is nothing to ask at start: a build has it, or has not.
namespace rung::simd128 {
const Kernels& kernels();
}  // namespace rung::simd128

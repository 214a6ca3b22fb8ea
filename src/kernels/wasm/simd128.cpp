// The kernels with WebAssembly's SIMD.  Milestone M6.
#include "kernels/wasm/simd128.h"

#if defined(__wasm_simd128__)

#include <wasm_simd128.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "kernels/panels.h"
#include "kernels/scalar/scalar.h"
#include "kernels/target.h"
#include "tensor/blocks.h"

namespace rung {
namespace {

#include "kernels/wasm/lanes.h"
#include "kernels/lanes/formats.h"
#include "kernels/lanes/linear.h"
#include "kernels/lanes/elementwise.h"
#include "kernels/lanes/attention.h"
#include "kernels/lanes/peaks.h"

Kernels make() {
  Kernels k = scalar::kernels;
  k.name = "simd128";
  use_panels<Lanes>(k);
  use_elementwise<Lanes>(k);
  use_attention<Lanes>(k);
  use_peaks<Lanes, 2, 2>(k);
  return k;
}

}  // namespace

const Kernels& simd128::kernels() {
  static const Kernels kKernels = make();
  return kKernels;
}

}  // namespace rung

#endif

#include "tensor/dtype.h"

#include <array>

namespace rung {

const DTypeInfo& info(DType type) {
  static constexpr std::array<DTypeInfo, 13> kInfo{{
      {"f32", 1, 4},
      {"f16", 1, 2},
      {"bf16", 1, 2},
      {"q4_0", 32, 18},
      {"q4_1", 32, 20},
      {"q5_0", 32, 22},
      {"q5_1", 32, 24},
      {"q8_0", 32, 34},
      {"q2_k", 256, 84},
      {"q3_k", 256, 110},
      {"q4_k", 256, 144},
      {"q5_k", 256, 176},
      {"q6_k", 256, 210},
  }};
  return kInfo[static_cast<std::size_t>(type)];
}

}  // namespace rung

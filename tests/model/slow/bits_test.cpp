// The same bits whatever the company, for quantised weights of true shapes.
#include "model/bits.h"

namespace rung {
namespace {

INSTANTIATE_TEST_SUITE_P(RealWeights, Bits, testing::Values(Case{"cpu", kReal, DType::f16}), name_of);

}  // namespace
}  // namespace rung

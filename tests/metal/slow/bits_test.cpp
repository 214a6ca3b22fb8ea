// The GPU's backend gives the same bits whatever the company, as the others do.
#include "model/bits.h"

namespace rung {
namespace {

INSTANTIATE_TEST_SUITE_P(Metal, Bits,
                         testing::Values(Case{"metal", "llama", DType::f16}, Case{"metal", "qwen3", DType::f32},
                                         Case{"metal", "gemma3", DType::q8_0}, Case{"metal", "pebble", DType::f16}),
                         name_of);

}  // namespace
}  // namespace rung

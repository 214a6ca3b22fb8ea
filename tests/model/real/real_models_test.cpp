// Real weights, held to the official implementation: short prompts.
#include "model/real_models.h"

namespace rung {
namespace {

INSTANTIATE_TEST_SUITE_P(, RealModels, testing::ValuesIn(prompts(true)), test_name);

}  // namespace
}  // namespace rung

// Real weights, held to the official implementation: long prompts.
#include "model/real_models.h"

namespace rung {
namespace {

INSTANTIATE_TEST_SUITE_P(, RealModels, testing::ValuesIn(prompts(false)), test_name);

}  // namespace
}  // namespace rung

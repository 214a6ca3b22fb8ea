// The same bits whatever the company, for every family, kept in every type.
#include "model/bits.h"

namespace rung {
namespace {

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const char* device : {"reference", "cpu"}) {
    for (const char* model :
         {"llama", "llama-gguf", "llama-yarn", "qwen2-window", "qwen3", "gemma3", "gemma3-gguf", "pebble"}) {
      for (const DType cache : {DType::f32, DType::f16, DType::q8_0}) all.push_back({device, model, cache});
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Everywhere, Bits, testing::ValuesIn(cases()), name_of);

}  // namespace
}  // namespace rung

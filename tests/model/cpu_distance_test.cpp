// How far the fast backend is from the reference: it rounds activations to eight bits (where weights are quantised), in
// some kernel sets to bf16 (where weights are), and the cache to f16, and no more than that may show.
#include <gtest/gtest.h>

#include <algorithm>

#include "model/cpu_distance.h"
#include "model_path.h"

namespace rung {
namespace {

// Of plain weights: where activations are rounded to bf16, each is off by up to 2⁻⁹ of itself. (Measured: up to 2e-4.)
double plain_bound() { return chosen_kernels().round_to_bf16 != nullptr ? 5e-4 : 1e-5; }

class CpuDistance : public testing::TestWithParam<std::string> {};

// Their weights are small random numbers in every format (GGUF) or in 16 and 32 bits, where nothing but the cache and
// the order of sums is rounded.
TEST_P(CpuDistance, OfATinyModelIsSmall) {
  const std::filesystem::path folder = golden_folder() / "models" / GetParam();
  const GoldenFiles files(model_path(GetParam()));
  const bool is_gguf = files.gguf.has_value();
  const Distance d = distance(bind_weights(files.plan, files.tensors()), Golden(folder).ids);
  RecordProperty("mean_divergence", std::to_string(d.mean_divergence));
  EXPECT_LT(d.mean_divergence, is_gguf ? 0.02 : plain_bound());
  EXPECT_GE(d.same_first, is_gguf || chosen_kernels().round_to_bf16 != nullptr ? 0.8 : 1.0);
}

// What the cache's type alone does: f16 keeps eleven bits of a value, Q8_0 seven and a sign of the largest of 32; a
// divergence goes with the square of an error, so one is some 16² times the other. (Measured: up to 3.5e-6 and 8.6e-4.)
// Where the fast backend rounds activations as well, a little less or more in the cache turns some of them by a whole
// step: there the sum of all roundings is held to the bound of the test above.
TEST_P(CpuDistance, OfACacheFromOneOfF32IsSmall) {
  const std::filesystem::path folder = golden_folder() / "models" / GetParam();
  const GoldenFiles files(model_path(GetParam()));
  const bool is_gguf = files.gguf.has_value();
  const Model model = bind_weights(files.plan, files.tensors());
  for (const char* device : {"reference", "cpu"}) {
    const bool rounds_activations =
        std::string_view(device) == "cpu" && (is_gguf || chosen_kernels().round_to_bf16 != nullptr);
    for (const auto& [cache, bound] : {std::pair{DType::f16, 1e-5}, std::pair{DType::q8_0, 2e-3}}) {
      const Place exact{rounds_activations ? "reference" : device, DType::f32};
      const Distance d = distance(model, Golden(folder).ids, exact, {device, cache});
      const double with_activations = is_gguf ? 0.02 : bound + plain_bound();
      EXPECT_LT(d.mean_divergence, rounds_activations ? with_activations : bound) << device << ", " << info(cache).name;
      EXPECT_GT(d.mean_divergence, 0) << "the cache rounds";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, CpuDistance, testing::ValuesIn(golden_folders("models")),
                         [](const testing::TestParamInfo<std::string>& folder) {
                           std::string name = folder.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// Pebble's weights are bf16, so here, too, only the cache is rounded, or activations to bf16.
TEST(PebbleCpuDistance, IsSmall) {
  const GoldenFiles files(source_folder() / "models" / "pebble");
  const Model model = bind_weights(files.plan, files.tensors());
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i < 256; ++i) ids.push_back(static_cast<std::int32_t>(i * 7919 % model.config.vocab_size));
  const Distance d = distance(model, ids);
  EXPECT_LT(d.mean_divergence, plain_bound());
  EXPECT_GE(d.same_first, 0.99);
}

}  // namespace
}  // namespace rung

// How far the fast backend is from the reference on real weights.
#include "model/cpu_distance.h"

#include <gtest/gtest.h>

#include "downloads.h"
#include "paths.h"

namespace rung {
namespace {

// SmolLM2 (Q4_1, its head Q8_0) and Gemma 3 270M (Q5_0, Q4_K, Q6_K, Q8_0).
TEST(CpuDistanceOfRealWeights, IsSmall) {
  for (const auto& [name, bound] : {std::pair{"smollm2", 0.01}, std::pair{"gemma3", 0.02}}) {
    SCOPED_TRACE(name);
    const std::string file = std::string(name) + ".gguf";
    RUNG_NEEDS_DOWNLOAD(file);
    const Golden golden{golden_folder() / "real" / name};
    const GoldenFiles files(download(file));
    const Model model = bind_weights(files.plan, files.tensors());
    for (const Json& prompt : golden.about["prompts"]) {
      const auto ids = prompt["ids"].get<std::vector<std::int32_t>>();
      if (ids.size() > 40) continue;
      const std::vector<float> reference = all_logits(model, {"reference"}, ids);
      for (const DType cache : {DType::f16, DType::q8_0}) {
        const Distance d = distance(reference, all_logits(model, {"cpu", cache}, ids), model.config.vocab_size);
        EXPECT_LT(d.mean_divergence, bound) << prompt["name"] << ", cache " << info(cache).name;
        EXPECT_GE(d.same_first, 0.8) << prompt["name"] << ", cache " << info(cache).name;
        RecordProperty(std::string(name) + "_" + std::string(info(cache).name),
                       std::to_string(1e6 * d.mean_divergence) + " micronats");
      }
    }
  }
}

}  // namespace
}  // namespace rung

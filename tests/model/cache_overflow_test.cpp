// A key or a value that the cache's type cannot hold: the error says which, and what helps.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "engine/session.h"
#include "files/expect_error.h"
#include "model/golden_model.h"
#include "ops/cpu.h"
#include "paths.h"

namespace rung {
namespace {

TEST(CacheOverflow, NamesTheLayerAndTheCacheThatHoldsIt) {
  const GoldenFiles files(golden_folder() / "models" / "llama");
  const std::string name = "model.layers.1.self_attn.v_proj.weight";
  ThreadTeam team(1);
  ReferenceOps reference(team);
  CpuOps fast(team);
  for (const auto& [type, power, most] :
       {std::tuple(DType::f16, 20, "65504"), std::tuple(DType::q8_0, 30, "8319008")}) {
    TensorMap tensors = files.tensors();
    std::vector<std::byte> larger(tensors.at(name).bytes.begin(), tensors.at(name).bytes.end());
    for (std::size_t i = 0; i < larger.size(); i += 2) {  // bf16: the exponent begins at bit 7
      std::uint16_t bits = 0;
      std::memcpy(&bits, larger.data() + i, 2);
      bits = static_cast<std::uint16_t>(bits + (power << 7));
      std::memcpy(larger.data() + i, &bits, 2);
    }
    tensors.at(name).bytes = larger;
    const Model model = bind_weights(files.plan, tensors);
    const std::vector<std::int32_t> ids{1, 2, 3};
    for (Ops* ops : {static_cast<Ops*>(&reference), static_cast<Ops*>(&fast)}) {
      expect_error([&] { Session(model, *ops, {.cache_type = type}).feed(ids); },
                   fmt::format("layer 1 makes a value that is too large for a cache of {} (at most {}): run it with "
                               "--cache f32",
                               info(type).name, most));
      Session session(model, *ops, {.cache_type = DType::f32});
      EXPECT_TRUE(std::isfinite(session.feed(ids).front()));
    }
  }
}

}  // namespace
}  // namespace rung

// A head that is switched off is a head whose columns of the output projection are 0; what came before it stays the
// same, bit for bit.
#include "ops/switched_off.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>

#include "engine/model_files.h"
#include "model/forward.h"
#include "ops/reference.h"
#include "ops/traced.h"

namespace rung {
namespace {

constexpr std::size_t kLayer = 2, kHead = 1;
const std::vector<std::int32_t> kIds{10, 300, 42, 777, 5};

class SwitchedOffParts : public testing::Test {
 protected:
  using Tensors = std::map<std::string, std::vector<float>>;

  // Every checkpoint of a pass over some ids.
  static Tensors trace(const Model& model, Ops& ops) {
    Tensors all;
    TracedOps traced(ops, [&](const Checkpoint& at, const NamedTensor& x) {
      all[at.text()].assign(x.values.begin(), x.values.end());
    });
    KvCache cache(kv_shape(model.config));
    Batch batch;
    batch.add(kIds, 0, cache, [](std::size_t) { return true; });
    Forward(model, traced).run(batch);
    return all;
  }
  Tensors trace_without(std::vector<SwitchedOff> parts) {
    SwitchedOffOps ops(reference, std::move(parts));
    return trace(model, ops);
  }

  const ModelFiles files = ModelFiles::pebble();
  const Model model = bind_weights(files.plan(), files.tensors());
  ThreadTeam team{1};
  ReferenceOps reference{team};
  const Tensors sound = trace(model, reference);
};

TEST_F(SwitchedOffParts, AHeadIsItsColumnsOfTheOutputProjection) {
  // The same model, with zeros where layer 2's head 1 enters the output projection: row after row, bf16.
  TensorMap tensors = files.tensors();
  FileTensor& o = tensors.at("model.layers.2.self_attn.o_proj.weight");
  ASSERT_EQ(o.dtype, DType::bf16);
  std::vector<std::byte> bytes(o.bytes.begin(), o.bytes.end());
  const std::size_t head_bytes = 2 * model.config.head_dim, row_bytes = model.config.heads * head_bytes;
  for (std::size_t row = 0; row < model.config.hidden_size; ++row) {
    std::memset(bytes.data() + row * row_bytes + kHead * head_bytes, 0, head_bytes);
  }
  o.bytes = bytes;
  const Tensors expected = trace(bind_weights(files.plan(), tensors), reference);

  const Tensors without = trace_without({{.layer = kLayer, .head = kHead}});
  for (const char* name : {"layer.2.attention_output", "layer.2.output", "layer.4.output", "logits"}) {
    EXPECT_EQ(without.at(name), expected.at(name)) << name;
    EXPECT_NE(without.at(name), sound.at(name)) << name;
  }
  for (const char* name : {"embedding", "layer.1.output", "layer.2.q_rope", "layer.2.k_rope"}) {
    EXPECT_EQ(without.at(name), sound.at(name)) << name;
  }
}

TEST_F(SwitchedOffParts, ALayerIsPassedBy) {
  const Tensors without = trace_without({{.layer = kLayer, .attention = true, .mlp = true}});
  EXPECT_EQ(without.at("layer.2.output"), sound.at("layer.1.output"));
}

TEST_F(SwitchedOffParts, AttentionAndMlpEachAlone) {
  const Tensors no_mlp = trace_without({{.layer = kLayer, .attention = false, .mlp = true}});
  EXPECT_EQ(no_mlp.at("layer.2.attention_residual"), sound.at("layer.2.attention_residual"));
  EXPECT_EQ(no_mlp.at("layer.2.output"), sound.at("layer.2.attention_residual"));
  const Tensors no_attention = trace_without({{.layer = kLayer, .attention = true, .mlp = false}});
  EXPECT_EQ(no_attention.at("layer.2.attention_residual"), sound.at("layer.1.output"));
  EXPECT_NE(no_attention.at("layer.2.output"), sound.at("layer.1.output"));
}

TEST_F(SwitchedOffParts, NothingOffIsTheModelItself) { EXPECT_EQ(trace_without({}), sound); }

}  // namespace
}  // namespace rung

// The forward pass, held to the official implementation at every checkpoint of every tiny model and of pebble; and the
// goldens, shown to bite. Made by tools/goldens/models.py and tools/goldens/pebble.py.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "base/processors.h"
#include "kernels/kernels.h"
#include "model/golden_model.h"
#include "model_path.h"
#include "model/rope.h"
#include "ops/broken.h"
#include "ops/cpu.h"

namespace rung {
namespace {

const std::filesystem::path pebble = source_folder() / "models" / "pebble";

// A folder of tests/golden/models, which holds the model too; or pebble/short, pebble/full.
class GoldenModels : public testing::TestWithParam<std::string> {
 protected:
  const bool is_pebble = GetParam().starts_with("pebble/");
  const std::filesystem::path answers = golden_folder() / (is_pebble ? "" : "models") / GetParam();
  const std::filesystem::path folder = is_pebble ? pebble : answers;
  const std::filesystem::path path = is_pebble ? pebble : model_path(GetParam());
  const Golden golden{answers};
  ThreadTeam team{1};
  ReferenceOps reference{team};
};

void expect_equal(const std::optional<Difference>& difference) {
  EXPECT_FALSE(difference) << (difference ? difference->text() : "");
}

void expect_first(const std::optional<Difference>& difference, const std::string& checkpoint) {
  if (!difference) {
    ADD_FAILURE() << "nothing differs, expected " << checkpoint;
  } else {
    EXPECT_EQ(difference->checkpoint, checkpoint) << difference->text();
  }
}

TEST_P(GoldenModels, EveryCheckpointEqualsTheOfficialOne) {
  const GoldenFiles files(path);
  expect_equal(run_and_compare(bind_weights(files.plan, files.tensors()), reference, golden));
}

TEST_P(GoldenModels, SoWhenThePromptIsFedInPieces) {
  const GoldenFiles files(path);
  const Model model = bind_weights(files.plan, files.tensors());
  for (const std::size_t chunk : {1u, 3u}) {
    SCOPED_TRACE(chunk);
    expect_equal(run_and_compare(model, reference, golden, chunk));
  }
}

// The best set that takes the activations of bf16 weights as they are.
const Kernels& kernels_that_round_nothing() {
  if (chosen_kernels().round_to_bf16 == nullptr) return chosen_kernels();
  const auto sets = supported_kernels();
  return **std::find_if(sets.begin(), sets.end(), [](const Kernels* k) { return k->round_to_bf16 == nullptr; });
}

// With plain weights and a cache of f32 the fast backend rounds nothing away: what it adds up in another order stays
// within the contract.
TEST_P(GoldenModels, TheFastBackendMeetsThemWherePlainWeightsLetIt) {
  if (path.extension() == ".gguf") return;  // quantised weights meet quantised activations: cpu_distance_test.cpp
  const GoldenFiles files(path);
  const Model model = bind_weights(files.plan, files.tensors());
  CpuOps fast{team, kernels_that_round_nothing()};
  expect_equal(run_and_compare(model, fast, golden));
  CpuOps again{team, kernels_that_round_nothing()};
  expect_equal(run_and_compare(model, again, golden, 3));
}

TEST_P(GoldenModels, TheOldDialectOfTheConfigurationSaysTheSame) {
  if (!std::filesystem::exists(folder / "config.old.json")) return;
  const GoldenFiles files(path, "config.old.json");
  expect_equal(run_and_compare(bind_weights(files.plan, files.tensors()), reference, golden));
}

// The first checkpoint that a tensor has a part in, by the end of its name: as the hub spells it, and as GGUF does.
std::string first_checkpoint(const std::string& tensor, const Golden& golden) {
  using Entry = std::pair<std::string_view, const char*>;
  static constexpr std::array<Entry, 24> kParts{{
      {"q_norm", "q_norm"},
      {"k_norm", "k_norm"},  // before attn_q and attn_k
      {"input_layernorm", "attention_norm"},
      {"attn_norm", "attention_norm"},
      {"q_proj", "q"},
      {"attn_q", "q"},
      {"k_proj", "k"},
      {"attn_k", "k"},
      {"v_proj", "v"},
      {"attn_v", "v"},
      {"o_proj", "attention_output"},
      {"attn_output", "attention_output"},
      {"post_attention_layernorm", "attention_post_norm"},
      {"post_attention_norm", "attention_post_norm"},
      {"pre_feedforward_layernorm", "mlp_norm"},
      {"ffn_norm", "mlp_norm"},
      {"gate_proj", "gate"},
      {"ffn_gate", "gate"},
      {"up_proj", "up"},
      {"ffn_up", "up"},
      {"down_proj", "mlp_output"},
      {"ffn_down", "mlp_output"},
      {"post_feedforward_layernorm", "mlp_post_norm"},
      {"post_ffw_norm", "mlp_post_norm"},
  }};
  const std::size_t layers = tensor.find("layers.") != std::string::npos ? tensor.find("layers.") + 7
                             : tensor.starts_with("blk.")                ? 4
                                                                         : 0;
  if (layers == 0) {
    if (tensor.find("emb") != std::string::npos) return "embedding";
    return tensor.find("norm") != std::string::npos ? "final_norm" : "logits";
  }
  const std::string layer = "layer." + tensor.substr(layers, tensor.find('.', layers) - layers) + ".";
  for (const auto& [part, checkpoint] : kParts) {
    if (tensor.find(part) == std::string::npos) continue;
    const std::string name = layer + checkpoint;
    // Llama's and Qwen's post_attention_layernorm stands before the MLP; only Gemma has a norm behind attention.
    if (std::find(golden.order.begin(), golden.order.end(), name) == golden.order.end()) return layer + "mlp_norm";
    return name;
  }
  return "no checkpoint for " + tensor;
}

bool of_another_modality(const std::string& tensor) {
  return tensor.starts_with("vision_tower.") || tensor.starts_with("multi_modal_projector.") ||
         tensor.starts_with("v.") || tensor.starts_with("mm.");
}

TEST_P(GoldenModels, BiteWhenAnyTensorIsZeroed) {
  const GoldenFiles files(path);
  for (const auto& [name, tensor] : files.tensors()) {
    // a setting rather than a weight: read with them, and 0 is refused there
    if (name == "rope_freqs.weight") continue;
    SCOPED_TRACE(name);
    const std::vector<std::byte> zeros(tensor.bytes.size());
    TensorMap tensors = files.tensors();
    tensors.at(name).bytes = zeros;
    const auto difference = run_and_compare(bind_weights(files.plan, tensors), reference, golden);
    if (of_another_modality(name)) {
      expect_equal(difference);
    } else {
      expect_first(difference, first_checkpoint(name, golden));
    }
  }
}

// Where a mistake is first seen; "" where this model cannot tell.
std::string first_checkpoint(Mistake mistake, const Model& model, std::size_t tokens) {
  const ModelConfig& c = model.config;
  switch (mistake) {
    case Mistake::embedding_scale: return c.embedding_scale != 1 ? "embedding" : "";
    case Mistake::norm_sum:
    case Mistake::norm_centred:
    case Mistake::norm_all_tokens:
    case Mistake::norm_weight:
    case Mistake::norm_epsilon: return "layer.0.attention_norm";
    case Mistake::missing_qk_norm: return model.layers[0].q_norm ? "layer.0.q_norm" : "";
    case Mistake::missing_final_norm: return "final_norm";
    case Mistake::linear_transposed: return "layer.0.q";
    case Mistake::linear_bias: return model.layers[0].q.matrix.bias.empty() ? "" : "layer.0.q";
    case Mistake::rope_missing:
    case Mistake::rope_pairing:
    case Mistake::rope_backwards:
    case Mistake::rope_in_place:
    case Mistake::rope_position:
    case Mistake::rope_frequencies: return "layer.0.q_rope";
    case Mistake::rope_queries_only: return "layer.0.k_rope";
    // else both readings agree
    case Mistake::gqa_grouping: return c.kv_heads > 1 && c.kv_heads < c.heads ? "layer.0.attention" : "";
    case Mistake::window_forgotten:
      for (std::size_t i = 0; i < c.layers.size(); ++i) {
        const std::size_t window = c.layers[i].attention.window_tokens;
        if (window != 0 && window < tokens) return fmt::format("layer.{}.attention", i);
      }
      return "";
    case Mistake::cache_position:
    case Mistake::keys_values_swapped:
    case Mistake::query_scale:
    case Mistake::causal_mask:
    case Mistake::mask_one_more:
    case Mistake::mask_one_less:
    case Mistake::softmax_axis:
    case Mistake::heads_transposed: return "layer.0.attention";
    case Mistake::gate_up_swapped:
    case Mistake::activation_missing:
    case Mistake::activation_sigmoid:
    case Mistake::activation_other: return "layer.0.gated";
    case Mistake::residual_missing:
    case Mistake::residual_normed: return "layer.0.attention_residual";
  }
  return "";
}

TEST_P(GoldenModels, BiteOnEveryClassicMistake) {
  const GoldenFiles files(path);
  const Model model = bind_weights(files.plan, files.tensors());
  for (const MistakeInfo& info : mistakes()) {
    SCOPED_TRACE(info.name);
    BrokenOps broken(reference, info.mistake);
    const auto difference = run_and_compare(model, broken, golden);
    const std::string expected = first_checkpoint(info.mistake, model, golden.ids.size());
    if (expected.empty()) {
      expect_equal(difference);
    } else {
      expect_first(difference, expected);
    }
  }
}

TEST(Mistakes, EachIsSeenInSomeModel) {
  std::set<std::string_view> unseen;
  for (const MistakeInfo& info : mistakes()) unseen.insert(info.name);
  for (const std::string& name : golden_folders("models")) {
    const std::filesystem::path folder = golden_folder() / "models" / name;
    const GoldenFiles files(model_path(name));
    const Model model = bind_weights(files.plan, files.tensors());
    for (const MistakeInfo& info : mistakes()) {
      if (!first_checkpoint(info.mistake, model, Golden(folder).ids.size()).empty()) unseen.erase(info.name);
    }
  }
  EXPECT_EQ(unseen, std::set<std::string_view>{});
}

struct LayerRope {
  bool scaled;
  float theta;
};

// What the files say about a layer's rotation. In a GGUF file the scaling is that of the layers without a window.
LayerRope rope_of(const GoldenFiles& files, const std::filesystem::path& folder, std::size_t layer) {
  if (files.gguf) {
    const std::string key = std::string(*files.gguf->string("general.architecture")) + ".rope.";
    const bool named =
        files.gguf->string(key + "scaling.type").has_value() || files.tensors().contains("rope_freqs.weight");
    const bool ollamas = folder.filename() == "gemma3-ollama-gguf";  // which says neither scaling nor base
    const bool everywhere = files.plan.config.layers[layer].attention.window_tokens == 0;
    return {(named || ollamas) && everywhere, static_cast<float>(files.gguf->number(key + "freq_base").value_or(1e6))};
  }
  const Json config = read_json(folder / "config.json");
  const Json& text = config.contains("text_config") ? config["text_config"] : config;
  if (!text.contains("rope_parameters")) return {false, text["rope_theta"].get<float>()};
  const Json& all = text["rope_parameters"];
  const Json& rope = all.contains("rope_type") ? all : all[text["layer_types"][layer].get<std::string>()];
  return {rope["rope_type"] != "default", rope["rope_theta"].get<float>()};
}

TEST_P(GoldenModels, BiteWhenRopeScalingIsForgotten) {
  const GoldenFiles files(path);
  Model model = bind_weights(files.plan, files.tensors());
  std::string expected;
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const LayerRope rope = rope_of(files, folder, i);
    if (!rope.scaled) continue;
    model.config.ropes[model.config.layers[i].rope] = {plain_rope(rope.theta, model.config.head_dim)};
    if (expected.empty()) expected = fmt::format("layer.{}.q_rope", i);
  }
  const auto difference = run_and_compare(model, reference, golden);
  if (expected.empty()) {
    expect_equal(difference);
  } else {
    expect_first(difference, expected);
  }
}

TEST_P(GoldenModels, BiteWhenAWindowIsForgottenOrOffByOne) {
  const GoldenFiles files(path);
  using Change = std::size_t (*)(std::size_t);
  for (const Change change :
       {Change([](std::size_t) { return std::size_t{0}; }), Change([](std::size_t n) { return n + 1; })}) {
    Model model = bind_weights(files.plan, files.tensors());
    std::string expected;
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
      std::size_t& window = model.config.layers[i].attention.window_tokens;
      if (window == 0) continue;
      if (expected.empty()) expected = fmt::format("layer.{}.attention", i);
      window = change(window);
    }
    const auto difference = run_and_compare(model, reference, golden);
    if (expected.empty()) {
      expect_equal(difference);
    } else {
      expect_first(difference, expected);
    }
  }
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace_if(name.begin(), name.end(), [](char c) { return c == '-' || c == '/'; }, '_');
  return name;
}

// 512 tokens of stories: of the many tensors only those that tell positions apart are broken here.
class PebbleAtFullContext : public testing::Test {
 protected:
  const Golden golden{golden_folder() / "pebble" / "full"};
  const GoldenFiles files{pebble};
  const Model model = bind_weights(files.plan, files.tensors());
  ThreadTeam team{usable_processors()};
  ReferenceOps reference{team};
};

TEST_F(PebbleAtFullContext, EveryCheckpointEqualsTheOfficialOne) {
  ASSERT_EQ(golden.ids.size(), model.config.context);
  expect_equal(run_and_compare(model, reference, golden));
}

TEST_F(PebbleAtFullContext, SoWhenThePromptIsFedInPieces) {
  expect_equal(run_and_compare(model, reference, golden, 100));
}

TEST_F(PebbleAtFullContext, BitesWhenPositionsAreWrong) {
  for (const Mistake mistake : {Mistake::rope_pairing, Mistake::causal_mask, Mistake::cache_position}) {
    BrokenOps broken(reference, mistake);
    expect_first(run_and_compare(model, broken, golden), first_checkpoint(mistake, model, golden.ids.size()));
  }
}

INSTANTIATE_TEST_SUITE_P(, GoldenModels, testing::ValuesIn(golden_folders("models")), test_name);
INSTANTIATE_TEST_SUITE_P(Trained, GoldenModels, testing::Values("pebble/short"), test_name);

}  // namespace
}  // namespace rung

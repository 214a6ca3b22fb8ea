// SmolLM2 and Gemma 3 270M on real weights, held to the official implementation on prompts of 5 to 560 tokens.
// Made by tools/goldens/real_models.py, which keeps a few rows of each prompt, and of a row of logits some 250 and its
// length.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/processors.h"
#include "downloads.h"
#include "model/golden_model.h"
#include "paths.h"

namespace rung {
namespace {

struct Prompt {
  std::string model;  // "smollm2"
  std::string name;   // "code"
};

// gtest prints a parameter by this.
void PrintTo(const Prompt& p, std::ostream* out) { *out << p.model << " " << p.name; }

std::vector<Prompt> prompts(bool quick) {
  std::vector<Prompt> found;
  for (const std::string& model : golden_folders("real")) {
    const Json about = read_json(golden_folder() / "real" / model / "golden.json");
    for (const Json& prompt : about["prompts"]) {
      if ((prompt["ids"].size() <= 30) == quick) found.push_back({model, prompt["name"]});
    }
  }
  return found;
}

class RealModels : public testing::TestWithParam<Prompt> {
 protected:
  void SetUp() override { RUNG_NEEDS_DOWNLOAD(file.filename().string()); }

  void compare();
  void compare_logits(const Json& prompt, const CheckpointValues& logits);
  CheckpointValues official(const std::string& name) const { return golden.official(GetParam().name + "." + name); }

  const std::filesystem::path file = download(GetParam().model + ".gguf");
  const Golden golden{golden_folder() / "real" / GetParam().model};
};

void RealModels::compare() {
  const Json& all = golden.about["prompts"];
  const Json& prompt =
      *std::find_if(all.begin(), all.end(), [&](const Json& p) { return p["name"] == GetParam().name; });
  const auto ids = prompt["ids"].get<std::vector<std::int32_t>>();
  const auto rows = prompt["rows"].get<std::vector<std::size_t>>();
  std::vector<std::string> order{"embedding"};
  for (const std::size_t layer : golden.about["layers"]) {
    order.push_back(Checkpoint{"output", static_cast<int>(layer)}.text());
  }
  order.push_back("final_norm");

  const GoldenFiles files(file);
  const Model model = bind_weights(files.plan, files.tensors());
  ThreadTeam team(usable_processors());
  ReferenceOps reference(team);
  Trace trace;
  TracedOps traced(reference, [&](const Checkpoint& at, const NamedTensor& x) {
    if (at.text() == "logits" || std::find(order.begin(), order.end(), at.text()) != order.end()) trace.add(at, x);
  });
  KvCache cache(kv_shape(model.config));
  Batch batch;
  for (std::size_t t = 0; t < ids.size(); ++t) {
    batch.add(ids[t], static_cast<std::uint32_t>(t), cache, std::find(rows.begin(), rows.end(), t) != rows.end());
  }
  Forward(model, traced).run(batch);

  std::map<std::string, CheckpointValues> kept;
  for (const auto& [name, values] : trace.checkpoints()) kept[name] = kept_rows(values, rows);
  const auto difference = compare_checkpoints(kept, order, [&](const std::string& name) { return official(name); });
  EXPECT_FALSE(difference) << (difference ? difference->text() : "") << " (of the rows that the golden keeps)";
  compare_logits(prompt, kept.at("logits"));
}

void RealModels::compare_logits(const Json& prompt, const CheckpointValues& logits) {
  const auto fixed_ids = golden.about["fixed_ids"].get<std::vector<std::size_t>>();
  const std::vector<float> top = official("logits.top").values;
  const CheckpointValues fixed = official("logits.fixed");
  const std::vector<float> length = official("logits.norm").values;
  std::size_t next_top = 0;
  for (std::size_t r = 0; r < logits.rows(); ++r) {
    SCOPED_TRACE("token row " + prompt["rows"][r].dump());
    const std::span<const float> row = logits.row(r);
    double squares = 0;
    for (const float x : row) squares += static_cast<double>(x) * static_cast<double>(x);
    EXPECT_NEAR(std::sqrt(squares), length[r], 1e-4 * length[r]) << "the length of the row of logits";
    for (const std::size_t id : prompt["top_ids"][r]) {
      EXPECT_NEAR(row[id], top[next_top++], kLogitTolerance) << "the logit of token " << id;
    }
    for (std::size_t i = 0; i < fixed_ids.size(); ++i) {
      EXPECT_NEAR(row[fixed_ids[i]], fixed.row(r)[i], kLogitTolerance) << "the logit of token " << fixed_ids[i];
    }
  }
}

TEST_P(RealModels, AgreeWithTheOfficialImplementation) { compare(); }

std::string test_name(const testing::TestParamInfo<Prompt>& info) { return info.param.model + "_" + info.param.name; }

}  // namespace
}  // namespace rung

// The filtered distribution, held to that of transformers' logits processors on recorded logits.  Made by
// tools/goldens/sampling.py.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <set>
#include <string>

#include "base/json.h"
#include "engine/generation_config.h"
#include "engine/sampler.h"
#include "paths.h"

namespace rung {
namespace {

std::map<std::string, std::vector<float>> recorded_logits(const Json& document) {
  std::map<std::string, std::vector<float>> logits;
  for (const Json& vector : document["logits"]) {
    for (const Json& x : vector["values"]) {
      logits[vector["name"]].push_back(x.is_null() ? -std::numeric_limits<float>::infinity() : x.get<float>());
    }
  }
  return logits;
}

Sampling settings(const Json& c) {
  return {.temperature = c["temperature"],
          .top_k = c["top_k"],
          .top_p = c["top_p"],
          .min_p = c["min_p"],
          .repeat_penalty = c["repetition_penalty"],
          .seed = 0};
}

Json golden(const char* name) {
  const std::string path = (golden_folder() / "sampling" / name).string();
  std::ifstream in(path);
  return parse_json(std::string{std::istreambuf_iterator<char>(in), {}}, path);
}

void expect_official(const std::vector<Candidate>& candidates, Json c) {
  std::map<std::int32_t, double> ours, official;
  for (const Candidate& next : candidates) ours[next.id] = next.probability;
  for (std::size_t i = 0; i < c["ids"].size(); ++i) official[c["ids"][i]] = c["probabilities"][i];
  c.erase("ids");
  c.erase("probabilities");
  SCOPED_TRACE(c.dump());
  for (const auto& [id, p] : official) {
    ASSERT_TRUE(ours.contains(id)) << "token " << id << " is filtered out, and should have " << p;
    ASSERT_NEAR(ours[id], p, 1e-5 * p + 1e-37) << "token " << id;
  }
  // What the official f32 rounds to 0, ours in f64 may still see.
  for (const auto& [id, p] : ours) {
    ASSERT_TRUE(official.contains(id) || p < 1e-37) << "token " << id << " has " << p << ", and should be filtered out";
  }
}

TEST(SamplingGolden, TheFilteredDistributionIsTheOfficialOne) {
  const Json document = golden("cases.json");
  const auto logits = recorded_logits(document);
  ASSERT_GT(document["cases"].size(), 500u);
  for (const Json& c : document["cases"]) {
    const auto seen = c["seen"].get<std::vector<std::int32_t>>();
    expect_official(Sampler(settings(c)).distribution(logits.at(c["logits"]), {.tokens = seen}), c);
    if (HasFatalFailure()) return;
  }
}

// From the settings as generation_config.json has them, for greedy and for drawing, at the answer's beginning and
// later.
TEST(SamplingGolden, WhatRulesForbidAndForceIsTheOfficialOne) {
  const Json document = golden("rules.json");
  const auto logits = recorded_logits(document);
  const auto ends = document["ends"].get<std::set<TokenId>>();
  const std::size_t prompt_tokens = document["prompt_tokens"];
  ASSERT_GT(document["cases"].size(), 200u);
  for (const Json& c : document["cases"]) {
    const GenerationConfig config = generation_from_json(c["generation_config"], "rules.json");
    EXPECT_TRUE(config.undone.empty());
    const auto tokens = c["tokens"].get<std::vector<TokenId>>();
    const bool is_last = config.max_tokens && tokens.size() - prompt_tokens + 1 == *config.max_tokens;
    expect_official(
        Sampler(config.sampling, ends).distribution(logits.at(c["logits"]), {tokens, prompt_tokens, is_last}), c);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace rung

// The filtered distribution, held to that of transformers' logits processors on recorded logits.  Made by
// tools/goldens/sampling.py.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <string>

#include "base/json.h"
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

TEST(SamplingGolden, TheFilteredDistributionIsTheOfficialOne) {
  const std::string path = (golden_folder() / "sampling" / "cases.json").string();
  std::ifstream in(path);
  const Json document = parse_json(std::string{std::istreambuf_iterator<char>(in), {}}, path);
  const auto logits = recorded_logits(document);
  ASSERT_GT(document["cases"].size(), 500u);
  for (const Json& c : document["cases"]) {
    std::map<std::int32_t, double> official;
    for (std::size_t i = 0; i < c["ids"].size(); ++i) official[c["ids"][i]] = c["probabilities"][i];

    std::map<std::int32_t, double> ours;
    const auto seen = c["seen"].get<std::vector<std::int32_t>>();
    for (const Candidate& next : Sampler(settings(c)).distribution(logits.at(c["logits"]), seen)) {
      ours[next.id] = next.probability;
    }

    Json about = c;
    about.erase("ids");
    about.erase("probabilities");
    SCOPED_TRACE(about.dump());
    for (const auto& [id, p] : official) {
      ASSERT_TRUE(ours.contains(id)) << "token " << id << " is filtered out, and should have " << p;
      ASSERT_NEAR(ours[id], p, 1e-5 * p + 1e-37) << "token " << id;
    }
    // What the official f32 rounds to 0, ours in f64 may still see.
    for (const auto& [id, p] : ours) {
      ASSERT_TRUE(official.contains(id) || p < 1e-37)
          << "token " << id << " has " << p << ", and should be filtered out";
    }
  }
}

}  // namespace
}  // namespace rung

// Ropes that depend on how long a session may become: `dynamic` and `longrope`. A session keeps the table of its
// context from the first token on, and then computes what one pass of the official implementation over as many tokens
// does.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/session.h"
#include "files/expect_error.h"
#include "model/golden_model.h"
#include "paths.h"

namespace rung {
namespace {

class SessionRopes : public testing::TestWithParam<const char*> {
 protected:
  const std::filesystem::path folder = golden_folder() / "models" / GetParam();
  const GoldenFiles files{folder};
  const Model model = bind_weights(files.plan, files.tensors());
  const Golden golden{folder};
  const Safetensors official = Safetensors::open(folder / "lengths.safetensors");
  const std::vector<std::int32_t> ids = golden.about["lengths"]["ids"];
  const std::vector<std::size_t> lengths = golden.about["lengths"]["tokens"];  // below and above the original length
  ThreadTeam team{1};
  ReferenceOps ops{team};

  // The logits after the first `length` ids, fed in pieces of `step`, of a session that holds no more.
  std::vector<float> last_logits(std::size_t length, std::size_t step, bool keep_cache) {
    Session session(model, ops, {.context = length, .keep_cache = keep_cache});
    std::span<const float> logits;
    for (std::size_t at = 0; at < length; at += step) {
      logits = session.feed(std::span(ids).subspan(at, std::min(step, length - at)));
    }
    return {logits.begin(), logits.end()};
  }
};

TEST_P(SessionRopes, ComputeWhatOneOfficialPassOfTheContextsLengthDoes) {
  for (const std::size_t length : lengths) {
    SCOPED_TRACE(length);
    const std::vector<float> expected = read_values(official.tensors().at("logits." + std::to_string(length)));
    const std::vector<float> found = last_logits(length, length, true);
    ASSERT_EQ(found.size(), expected.size());
    double off = 0, norm = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i], expected[i], 1e-3) << i;
      off += std::pow(static_cast<double>(found[i] - expected[i]), 2);
      norm += std::pow(static_cast<double>(expected[i]), 2);
    }
    EXPECT_LE(std::sqrt(off), 1e-4 * std::sqrt(norm));
  }
}

TEST_P(SessionRopes, AreTheSameBitsHoweverTheTextIsFedAndWithoutTheCache) {
  for (const std::size_t length : lengths) {
    SCOPED_TRACE(length);
    const std::vector<float> whole = last_logits(length, length, true);
    for (const std::size_t step : {1u, 7u}) {
      EXPECT_EQ(last_logits(length, step, true), whole);
      EXPECT_EQ(last_logits(length, step, false), whole);
    }
  }
}

TEST_P(SessionRopes, ReachNoFurtherThanTheSchemeSays) {
  EXPECT_EQ(model.config.longest_context(), 64u);
  EXPECT_NO_THROW(Session(model, ops, {.context = 64}));
  expect_error([&] { Session(model, ops, {.context = 65}); }, "--context is 65, expected at most the model's 64");
  EXPECT_EQ(Session(model, ops).context(), model.config.context);
}

INSTANTIATE_TEST_SUITE_P(, SessionRopes, testing::Values("llama-dynamic", "qwen3-longrope"), [](const auto& test) {
  return std::string(test.param).substr(std::string(test.param).find('-') + 1);
});

}  // namespace
}  // namespace rung

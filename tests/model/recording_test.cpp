// A backend may write down what is to be done and do it later: the logits, what a decorator sees and what it changes
// are the same bits.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <stdexcept>

#include "engine/session.h"
#include "model/golden_model.h"
#include "model/recording_ops.h"
#include "ops/broken.h"
#include "ops/switched_off.h"
#include "ops/timed.h"
#include "ops/traced.h"
#include "model_path.h"

namespace rung {
namespace {

using Values = std::vector<float>;
Values copy(std::span<const float> x) { return {x.begin(), x.end()}; }

std::vector<std::int32_t> some_ids(std::size_t count, std::size_t vocab) {
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i < count; ++i) ids.push_back(static_cast<std::int32_t>((i * 7919 + 5) % vocab));
  return ids;
}

class Recording : public testing::TestWithParam<std::string> {
 protected:
  Values logits(Ops& ops, std::size_t chunk = 32) {
    Session session(model_, ops, {.chunk_tokens = chunk});
    const Values first = copy(session.feed(std::span(ids_).first(67)));
    Values all = copy(session.feed(std::span(ids_).subspan(67, 1)));
    all.insert(all.end(), first.begin(), first.end());
    return all;
  }

  const GoldenFiles files_{model_path(GetParam())};
  const Model model_ = bind_weights(files_.plan, files_.tensors());
  const std::vector<std::int32_t> ids_ = some_ids(68, model_.config.vocab_size);
  ThreadTeam team_{1};
  ReferenceOps reference_{team_};
  RecordingOps recording_{reference_};
};

TEST_P(Recording, GivesTheSameLogits) { EXPECT_EQ(logits(recording_), logits(reference_)); }

TEST_P(Recording, FinishesOnceAPass) {
  logits(recording_, 32);
  EXPECT_EQ(recording_.finishes(), 4u) << "chunks of 32, 32 and 3, and one token";
  EXPECT_EQ(recording_.pieces(), 0u) << "memory goes with the session";
}

TEST_P(Recording, ShowsTheSameToAListener) {
  std::map<std::string, Values> seen[2];
  Ops* const backends[] = {&reference_, &recording_};
  for (std::size_t i = 0; i < 2; ++i) {
    TracedOps traced(*backends[i], [&](const Checkpoint& at, const NamedTensor& x) {
      Values& values = seen[i][at.text()];
      values.insert(values.end(), x.values.begin(), x.values.end());
    });
    logits(traced);
  }
  EXPECT_GT(seen[0].size(), 20u);
  EXPECT_EQ(seen[1], seen[0]);
}

TEST_P(Recording, MakesTheSameMistakes) {
  for (const MistakeInfo& info : mistakes()) {
    BrokenOps on_reference(reference_, info.mistake), on_recording(recording_, info.mistake);
    EXPECT_EQ(logits(on_recording), logits(on_reference)) << info.name;
  }
}

TEST_P(Recording, LeavesOutTheSameParts) {
  const std::vector<SwitchedOff> parts{{.layer = 0, .head = 1}, {.layer = 1, .mlp = true}};
  SwitchedOffOps on_reference(reference_, parts), on_recording(recording_, parts);
  EXPECT_EQ(logits(on_recording), logits(on_reference));
}

// Otherwise a clock would see how long it takes to write a verb down.
TEST_P(Recording, FinishesEachVerbUnderAClock) {
  TimedOps timed(recording_);
  logits(timed);
  EXPECT_GT(recording_.finishes(), 4 * 10 * model_.layers.size());
}

// What was recorded before an exception would write into memory that is gone.
TEST_P(Recording, LeavesNothingBehindWhenAPassEndsEarly) {
  class Failing : public OpsDecorator {
   public:
    using OpsDecorator::OpsDecorator;
    void do_add(Matrix, ConstMatrix) override { throw std::runtime_error("no more"); }
  };
  Failing failing(recording_);
  {
    Session session(model_, failing);
    EXPECT_THROW(session.feed(ids_), std::runtime_error);
  }
  EXPECT_EQ(logits(recording_), logits(reference_));
}

// What went wrong is known only when all is done.
TEST_P(Recording, PassesOnWhatFinishSays) {
  class Failing : public OpsDecorator {
   public:
    using OpsDecorator::OpsDecorator;
    void finish() override {
      inner_.finish();
      throw std::runtime_error("the GPU is gone");
    }
  };
  Failing failing(recording_);
  Session session(model_, failing);
  EXPECT_THROW(session.feed(ids_), std::runtime_error);
}

INSTANTIATE_TEST_SUITE_P(Everywhere, Recording, testing::Values("llama", "qwen3", "gemma3", "qwen2-gguf"),
                         [](const auto& model) {
                           std::string name = model.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace rung

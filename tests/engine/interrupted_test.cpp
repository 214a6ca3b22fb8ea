// Ctrl-C while a model computes: a pass ends between two layers, an answer is what there is, and the session goes on.
#include <gtest/gtest.h>

#include <csignal>

#include "base/signals.h"
#include "convert/importance.h"
#include "engine/rung.h"
#include "engine/tiny_model.h"
#include "measure/perplexity.h"
#include "ops/decorator.h"

namespace rung {
namespace {

// Sends Ctrl-C inside the n-th linear layer, and counts how many come after it.
class InterruptingOps : public OpsDecorator {
 public:
  InterruptingOps(Ops& inner, int n) : OpsDecorator(inner), left_(n) {}
  int after() const { return -left_; }

  void do_linear(Matrix out, ConstMatrix x, const PackedMatrix& w) override {
    if (--left_ == 0) std::raise(SIGINT);
    OpsDecorator::do_linear(out, x, w);
  }

 private:
  int left_;
};

constexpr int kLinearsOfLayer = 7;  // q, k, v, o, gate, up, down

// Whoever starts the tests in the background may ignore Ctrl-C.
struct HeardSignal {
  HeardSignal() { std::signal(SIGINT, SIG_DFL); }
};

class InterruptedPass : public testing::Test {
 protected:
  const HeardSignal heard_;
  const SignalWatch watch_;
  const TinyModel files_;
  const LoadedModel model_{ModelFiles::open(files_.path())};
  Device device_{"reference", 1};
  const std::vector<TokenId> prompt_ = encode_prompt(model_.tokenizer(), "the fox");
};

TEST_F(InterruptedPass, EndsBetweenTwoLayers) {
  InterruptingOps ops(device_.ops(), 2);
  Session session(model_.model(), ops);
  EXPECT_THROW(session.feed(prompt_), Interrupted);
  EXPECT_EQ(ops.after(), kLinearsOfLayer - 2) << "the layer is finished, the next one does not begin";
  EXPECT_TRUE(session.tokens().empty());
}

TEST_F(InterruptedPass, LeavesAnAnswerOfWhatThereIs) {
  // the prompt's pass and three tokens', each of two layers and the head; then in the first layer of the next
  InterruptingOps ops(device_.ops(), 4 * (2 * kLinearsOfLayer + 1) + 1);
  Session session(model_.model(), ops);
  const GenerateOptions options{.max_tokens = 9, .sampling = Sampling{.temperature = 0}};
  const Generated generated = generate(session, model_.tokenizer(), prompt_, options);
  EXPECT_EQ(generated.reason, StopReason::interrupted);
  EXPECT_EQ(generated.ids.size(), 4u);
  EXPECT_EQ(ops.after(), kLinearsOfLayer - 1);
}

TEST_F(InterruptedPass, EndsTheMeasuringOfImportanceInsideAWindow) {
  InterruptingOps ops(device_.ops(), 1);
  EXPECT_THROW(measure_importance(model_, ops, "the fox and the hen"), Interrupted);
  EXPECT_LT(ops.after(), kLinearsOfLayer);
}

TEST_F(InterruptedPass, EndsAnEvaluationInsideAWindow) {
  std::vector<TokenId> ids(64, 5);
  const WindowedText text{.ids = ids, .windows = halves_of(ids.size(), 32), .first_of_window = {}};
  std::raise(SIGINT);
  EXPECT_EQ(evaluate(model_.model(), device_, text).windows, 0u);
}

TEST(Interrupted, OnlyUnderAWatch) {
  const HeardSignal heard;
  {
    const SignalWatch watch;
    std::raise(SIGINT);
    EXPECT_THROW(SignalWatch::check(), Interrupted);
  }
  EXPECT_NO_THROW(SignalWatch::check()) << "whoever has no watch is not told";
}

}  // namespace
}  // namespace rung

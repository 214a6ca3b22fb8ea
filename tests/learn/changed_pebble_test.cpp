// Exercises that make another model of pebble are compared with that model, not with pebble: so this holds it to what
// it claims to be.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "learn/divergence.h"
#include "learn/exercise.h"
#include "learn/in_engine.h"
#include "learn/seams.h"
#include "tensor/blocks.h"
#include "tensor/encode.h"

namespace rung::learn {
namespace {

std::vector<float> last_logits(SeamedEngine& engine, std::span<const TokenId> ids) {
  return engine.trace(ids, [](const Checkpoint&, const NamedTensor&) {});
}

// How far the logits after the traced text are from pebble's own: ‖difference‖ / ‖pebble's‖.
double distance_from_pebble(std::string_view exercise) {
  SeamedEngine pebble({});
  const Exercise& changed = *find_exercise(exercise);
  SeamedEngine other(seams_with(changed, changed.reference.call));
  const std::vector<TokenId> ids = pebble.encode(kTracedText);
  const std::vector<float> own = last_logits(pebble, ids), theirs = last_logits(other, ids);
  double off = 0, all = 0;
  for (std::size_t i = 0; i < own.size(); ++i) {
    off += std::pow(static_cast<double>(theirs[i]) - static_cast<double>(own[i]), 2);
    all += std::pow(static_cast<double>(own[i]), 2);
  }
  return std::sqrt(off / all);
}

TEST(ChangedPebble, InFloatsOnTheFastDeviceIsPebble) {
  EXPECT_LT(distance_from_pebble("m6-vectors"), 1e-4);
  EXPECT_LT(distance_from_pebble("m6-tiles"), 1e-4);
}

TEST(ChangedPebble, InEightBitsIsNearPebble) {
  for (const char* exercise : {"m6-bytes", "m6-integers", "m6-panels"}) {
    EXPECT_GT(distance_from_pebble(exercise), 1e-4) << exercise;
    EXPECT_LT(distance_from_pebble(exercise), 0.05) << exercise;
  }
}

TEST(ChangedPebble, PanelsAreTheIntegersInAnotherOrder) {
  EXPECT_EQ(distance_from_pebble("m6-panels"), distance_from_pebble("m6-integers"));
}

TEST(ChangedPebble, InFourBitsIsFartherAndStillPebble) {
  for (const char* exercise : {"m5-scale", "m5-block", "m5-error"}) {
    EXPECT_GT(distance_from_pebble(exercise), 0.01) << exercise;
    EXPECT_LT(distance_from_pebble(exercise), 0.5) << exercise;
  }
}

// What load makes of a matrix is what comes back from a file's blocks of it.
TEST(ChangedPebble, InFourBitsIsWhatAFileWouldHold) {
  constexpr std::size_t kRows = 5, kColumns = 96;
  Random random(3);
  const std::vector<float> weights = floats(random, kRows * kColumns);
  std::vector<std::byte> bytes(row_bytes(DType::q4_0, weights.size()));
  encode_row(bytes.data(), DType::q4_0, weights);
  std::vector<float> expected(weights.size());
  decode_row(expected, DType::q4_0, bytes.data());

  PackedMatrix matrix;
  matrix.rows = kRows;
  matrix.columns = kColumns;
  const SeamedEngine pebble({});
  const Exercise& scale = *find_exercise("m5-scale");
  std::vector<float> values = weights;
  seams_with(scale, scale.reference.call).load(pebble.model(), matrix, values);
  EXPECT_EQ(values, expected);
}

TEST(ChangedPebble, WithAWindowOf16IsPebbleUpToThe16thToken) {
  SeamedEngine pebble({});
  const Exercise& window = *find_exercise("m4-sliding-window");
  SeamedEngine other(seams_with(window, window.reference.call));
  const std::vector<TokenId> ids = pebble.encode(kTracedText);
  ASSERT_GT(ids.size(), 16u);
  EXPECT_FALSE(first_divergence(other, pebble, std::span(ids).first(16)));
  const auto wrong = first_divergence(other, pebble, ids);
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->token, 16u);
}

// A folder in which all is solved: what each puts in its place leaves the others where they are.
TEST(ManyExercises, TogetherTellWhatPebbleTells) {
  Seams all;
  for (const Exercise& exercise : exercises()) {
    if (exercise.place != nullptr && !exercise.changes_pebble && !exercise.name.starts_with("m6-")) {
      exercise.place(all, exercise.reference.call);
    }
  }
  SeamedEngine pebble({}), together(std::move(all));
  const std::vector<TokenId> ids = pebble.encode(kTracedText);
  const auto wrong = first_divergence(together, pebble, ids);
  EXPECT_FALSE(wrong) << wrong->sentence();
  EXPECT_EQ(together.encode(kTracedText), ids);
}

int g_calls = 0;
void count_and_mask(RungValue*) { ++g_calls; }  // hides nothing
void count_and_softmax(RungValue* values) {
  ++g_calls;
  find_exercise("m2-softmax")->reference.call(values);
}

TEST(ManyExercises, PartsOfAttentionAreThereTogether) {
  const auto calls_with = [](bool mask, bool softmax) {
    Seams seams;
    if (mask) find_exercise("m2-causal-mask")->place(seams, count_and_mask);
    if (softmax) find_exercise("m2-softmax")->place(seams, count_and_softmax);
    SeamedEngine engine(std::move(seams));
    g_calls = 0;
    last_logits(engine, engine.encode("Once upon a time"));
    return g_calls;
  };
  EXPECT_GT(calls_with(true, false), 0);
  EXPECT_EQ(calls_with(true, true), calls_with(true, false) + calls_with(false, true));
}

}  // namespace
}  // namespace rung::learn

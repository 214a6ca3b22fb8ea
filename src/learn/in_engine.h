// A learner's function inside pebble: checkpoint by checkpoint beside the engine with the reference in its place, then
// the story that it tells, then how fast it is.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "learn/check.h"
#include "learn/exercise.h"
#include "learn/seams.h"

namespace rung::learn {

// The first number of a trace that is not as it should be: which tensor, in the row of which token.
struct FirstWrong {
  std::string checkpoint;            // "layer.0.attn_norm"
  std::size_t token = 0;             // of the text
  std::vector<float> expected, got;  // the token's whole row
  std::size_t index = 0;             // in the row: the one that is furthest off
};

// The trace of `ids` through `engine` beside `expected`'s; nullopt: a row is nowhere further than the numeric contract
// allows (‖got − expected‖ ≤ 1e-4·‖expected‖).
std::optional<FirstWrong> first_wrong(SeamedEngine& engine, SeamedEngine& expected, std::span<const TokenId> ids);

// An engine with f in its place.
Seams seams_with(const Exercise& exercise, LearnerFunction f);

inline constexpr std::string_view kTracedText = "Once upon a time there was a little fox who had 12 coins.";

Check check_pebble(const Exercise& exercise, LearnerFunction f);
Check check_story(const Exercise& exercise, LearnerFunction f);
Check check_speed(const Exercise& exercise, LearnerFunction f);

}  // namespace rung::learn

// A learner's function inside pebble: checkpoint by checkpoint beside the engine with the reference in its place, then
// the story that it tells, then how fast it is.
#pragma once

#include <string_view>

#include "learn/check.h"
#include "learn/exercise.h"
#include "learn/seams.h"

namespace rung::learn {

// An engine with f in its place.
Seams seams_with(const Exercise& exercise, LearnerFunction f);

inline constexpr std::string_view kTracedText = "Once upon a time there was a little fox who had 12 coins.";

Check check_pebble(const Exercise& exercise, LearnerFunction f);
Check check_story(const Exercise& exercise, LearnerFunction f);
Check check_speed(const Exercise& exercise, LearnerFunction f);

}  // namespace rung::learn

// A wrong answer → why, most likely. Each known mistake of the exercise is made on the same arguments: the one that
// gives what the learner's code gave comes first.
#pragma once

#include <vector>

#include "learn/check.h"
#include "learn/exercise.h"

namespace rung::learn {

std::vector<Cause> likely_causes(const Exercise& exercise, const Case& example, const Answer& got);

}  // namespace rung::learn

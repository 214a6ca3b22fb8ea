// A report → what a person reads.
#pragma once

#include <string>

#include "base/json.h"
#include "cli/learn/exercise_texts.h"

namespace rung {

// first: nothing was ever right or wrong in this folder; then it is said that beginnings look like this.
std::string report_text(const OrderedJson& report, const ExerciseText& exercise, bool first);

}  // namespace rung

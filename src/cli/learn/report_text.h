// A report → what a person reads.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "cli/learn/exercise_texts.h"

namespace rung {

std::string report_text(const OrderedJson& report, const ExerciseText& exercise);

// What comes after it. `next`, `hint`: what to type.
std::string solved_text(std::string_view next);
// Where nothing was ever right or wrong in this folder: that beginnings look like this; empty where it does not
// compile.
std::string beginning_text(const OrderedJson& report, std::string_view hint);

}  // namespace rung

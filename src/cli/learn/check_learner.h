// A learner's file → a report as JSON (learn/check.h): compiled, loaded in a process of its own, checked there.
#pragma once

#include "base/json.h"
#include "cli/learn/compile.h"
#include "cli/learn/exercise_texts.h"
#include "cli/learn/learner_folder.h"

namespace rung {

// The report begins with a check "compile"; what crashed or hung is a failure that names the line in "place" and
// "line". "printed": what their code printed. debug: looks into pebble even where a case before fails.
OrderedJson check_learner(const LearnerFolder& folder, const ExerciseText& exercise, const CompileOptions& options,
                          bool debug = false);

// The check that failed; null: none did.
const OrderedJson* failure_of(const OrderedJson& report);

}  // namespace rung

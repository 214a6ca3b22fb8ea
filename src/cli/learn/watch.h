// `rung learn watch`: checks at every save, and takes single keys meanwhile.
#pragma once

#include "cli/learn/compile.h"
#include "cli/learn/learner_folder.h"

namespace rung {

// Until q, the end of input, or Ctrl-C. The exit status.
int watch(LearnerFolder& folder, const ExerciseText& first, const CompileOptions& options);

}  // namespace rung

// The exercises of milestone M0: what must come out, the classic mistakes, the place in the engine.
#include "learn/exercise.h"

namespace rung::learn {

std::vector<Exercise> m0_exercises() { return {}; }

}  // namespace rung::learn

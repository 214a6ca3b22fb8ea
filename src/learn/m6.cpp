// The exercises of milestone M6: what must come out, the classic mistakes, the place in the engine.
#include "learn/exercise.h"

namespace rung::learn {

std::vector<Exercise> m6_exercises() { return {}; }

}  // namespace rung::learn

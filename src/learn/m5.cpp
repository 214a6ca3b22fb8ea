// The exercises of milestone M5: what must come out, the classic mistakes, the place in the engine.
#include "learn/exercise.h"

namespace rung::learn {

std::vector<Exercise> m5_exercises() { return {}; }

}  // namespace rung::learn

// One of the exercises of milestone M3: it would make m3.cpp too long.
#pragma once

#include "learn/exercise.h"

namespace rung::learn::stop_strings {

Exercise exercise();

}  // namespace rung::learn::stop_strings

// A shared object that a learner's file became → its function.
#pragma once

#include <cstdint>
#include <string>

#include "learn/learner.h"

namespace rung {

// Loads one more library. Each call of what it gives is counted. Throws Error: it cannot be loaded, or there are more
// than kMostLearners.
inline constexpr int kMostLearners = 64;
learn::LearnerFunction load_learner(const std::string& path);

// For signal handlers.
int learner_library_at(const char* path);  // its number, in the order of loading; -1: none
std::uint64_t learner_calls();             // so far
bool inside_learner();                     // whether one is under way

}  // namespace rung

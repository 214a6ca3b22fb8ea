// A wrong answer → why, most likely. Each known mistake of the exercise is made on the same arguments: the one that
// gives what the learner's code gave comes first. Then what the difference looks like (patterns.h), then, as a guess,
// one mistake that leads the same way, if not as far: an epsilon forgotten, where theirs was another. Last, that it is
// far too large or small.
#pragma once

#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "learn/check.h"
#include "learn/exercise.h"
#include "learn/seams.h"

namespace rung::learn {

Cause cause_of(const KnownMistake& mistake);

// One mistake may be made in several ways, and be found in each: it is said once.
std::vector<Cause> each_once(const std::vector<Cause>& causes);

// Stands before a guess that only resembles what they gave.
inline constexpr std::string_view kPerhaps = "perhaps: ";

// Of mistakes that only resemble theirs, the one that resembles it most: the others would be as many wrong guesses.
using Guesses = std::vector<std::pair<double, Cause>>;
void add_best(std::vector<Cause>& all, const Guesses& guesses);

// The likeliest first. Several mistakes may give the same answer to one case: `f`, the learner's function, is then
// asked for its answer to more cases. Each time before, `known` is told what is known without it: f may crash there.
using Known = std::function<void(const std::vector<Cause>& causes)>;
std::vector<Cause> likely_causes(const Exercise& exercise, const Case& example, const Answer& got,
                                 LearnerFunction f = nullptr, const Known& known = {});

// Why the emulator found fault with a kernel: the mistakes that are known by such a finding. The finding that shows the
// first of them, or else the first finding, is left in `finding`.
std::vector<Cause> likely_causes(const Exercise& exercise, const KernelFault& fault, std::string& finding);

// The mistakes of the exercise with which pebble does the same as with the learner's function.
std::vector<Cause> causes_in_engine(const Exercise& exercise, const std::function<bool(SeamedEngine& mistaken)>& same);

}  // namespace rung::learn

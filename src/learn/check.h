// A learner's function → what is right and wrong about it, in the order that teaches: cases solved by hand, random
// shapes against the reference, inside the engine, the story, and then, for fun, the speed. The first failure ends it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "learn/exercise.h"

namespace rung::learn {

// A likely reason, the likeliest first.
struct Cause {
  std::string id, sentence, page;
};

enum class CheckState { passed, failed, not_yet, skipped };
std::string_view name_of(CheckState state);  // "passed", "failed", "not-yet", "skipped"

struct Check {
  std::string name = {};  // "by-hand", "random", "pebble", "story", "speed"
  CheckState state = CheckState::skipped;
  std::string title = {};  // what was tried: "two numbers, weights of 1"; of a passed one: how much
  std::string input = {}, expected = {}, got = {}, arithmetic = {};  // for people, of a failure
  std::vector<Cause> causes = {};                                    // of a failure
  std::string story = {}, reference_story = {};                      // of "story": theirs, and Rung's
};

struct Report {
  std::string exercise;
  std::vector<Check> checks;
  bool passed() const;
  const Check* failure() const;  // null: none
};

struct CheckOptions {
  std::function<void(std::string_view name)> begin = {};  // called before each check
  bool speed = true;
};

Report run_checks(const Exercise& exercise, LearnerFunction f, const CheckOptions& options = {});
OrderedJson to_json(const Report& report);

// One case: passed, or failed with all that helps.
Check check_case(const Exercise& exercise, LearnerFunction f, const Case& example);

}  // namespace rung::learn

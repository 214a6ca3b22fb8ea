// A learner's function → what is right and wrong about it, in the order that teaches: cases solved by hand, random
// shapes against the reference, inside the engine, the story, and then, for fun, the speed. The first failure ends it.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
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

// The first number of a run through the engine that is not as it should be.
struct Where {
  std::string checkpoint;           // "layer.1.q_rope"
  int layer = -1;                   // -1: of no layer
  std::size_t token = 0;            // of the text
  std::optional<std::size_t> head;  // where the tensor has heads
  std::size_t index = 0;            // in the head, or in the row
  double expected = 0, got = 0;     // there
  double distance = 0;              // ‖theirs − sound‖ / ‖sound‖ of the token's row; infinite: a row that should be 0
};

enum class CheckState { passed, failed, not_yet, skipped };
std::string_view name_of(CheckState state);  // "passed", "failed", "not-yet", "skipped"

struct Check {
  std::string name = {};  // "by-hand", "random", "pebble", "story", "speed"
  CheckState state = CheckState::skipped;
  std::string title = {};  // what was tried: "two numbers, weights of 1"; of a passed one: how much
  std::string input = {}, expected = {}, got = {}, arithmetic = {};  // for people, of a failure
  std::vector<Cause> causes = {};                                    // of a failure
  std::optional<Where> where = {};                                   // of a failed "pebble", if a number is wrong there
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
  // Called before each case: who does not come back is known by it.
  std::function<void(std::string_view title, std::string_view input)> trying = {};
  // Called with the report as it is known so far, when a case has failed and their code is run again to find out why:
  // who does not come back from that has failed like this.
  std::function<void(const Report& report)> found = {};
  bool speed = true;
  bool cases = true;  // false: inside the engine only
};

// Stops where one fails; without `cases` the story is told even so.
Report run_checks(const Exercise& exercise, LearnerFunction f, const CheckOptions& options = {});
OrderedJson to_json(const Report& report);
OrderedJson to_json(const Where& where);  // what is no number becomes null

// One case: passed, or failed with all that helps. `found`: called with what is known of a failure, before f is run
// again to find out why.
Check check_case(const Exercise& exercise, LearnerFunction f, const Case& example,
                 const std::function<void(const Check&)>& found = {});

}  // namespace rung::learn

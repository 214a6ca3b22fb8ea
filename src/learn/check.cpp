#include "learn/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <type_traits>

#include "base/json.h"
#include "learn/causes.h"
#include "learn/in_engine.h"

namespace rung::learn {

namespace {

constexpr int kRandomCases = 24;

// How many places hold nothing yet: floats that are no numbers, whole numbers that are 0. None if one holds something.
std::size_t blank_places(const Content& content) {
  return std::visit(
      []<class T>(const T& all) -> std::size_t {
        if constexpr (std::is_same_v<T, double> || std::is_same_v<T, std::string>) {
          return 0;
        } else {
          const auto blank = [](auto v) { return std::is_floating_point_v<decltype(v)> ? v != v : v == 0; };
          return std::all_of(all.begin(), all.end(), blank) ? all.size() : 0;
        }
      },
      content);
}

// "x = [3, 4]", a line each.
std::string input_shown(const Case& example) {
  std::string text;
  for (const Argument& argument : example.arguments) {
    const std::size_t places = argument.output ? blank_places(argument.content) : 0;
    if (!text.empty()) text += '\n';
    text += places > 0 ? fmt::format("{}: {} places to write", argument.name, places)
                       : fmt::format("{} = {}", argument.name, shown(argument.content, argument.shape));
  }
  return text;
}

// The first thing that differs: its name and both contents.
void show_difference(Check& check, const Case& example, const Answer& got, double tolerance) {
  std::size_t output = 0;
  for (const Argument& argument : example.arguments) {
    if (!argument.output) continue;
    const Content &expected = example.expected.outputs.at(output), &found = got.outputs.at(output);
    ++output;
    const auto at = first_difference(expected, found, tolerance);
    if (!at) continue;
    check.expected = fmt::format("{} = {}", argument.name, shown(expected, argument.shape, at));
    check.got = fmt::format("{} = {}", argument.name, shown(found, argument.shape, at));
    return;
  }
  if (!example.expected.result) return;
  const auto at = first_difference(*example.expected.result, *got.result, tolerance);
  if (!at) return;
  check.expected = shown(*example.expected.result, {}, at);
  check.got = shown(*got.result, {}, at);
}

// Who hears of a case before it is tried, and of a failure before its causes are sought.
struct Watch {
  std::function<void(std::string_view title, std::string_view input)> trying;
  std::function<void(const Check& check)> found;
};

Check check_by_hand(const Exercise& exercise, LearnerFunction f, const Watch& watch) {
  const std::vector<Case> cases = exercise.by_hand();
  for (const Case& example : cases) {
    watch.trying(example.title, input_shown(example));
    Check check = check_case(exercise, f, example, watch.found);
    if (check.state != CheckState::passed) return check;
  }
  return {.name = "by-hand",
          .state = CheckState::passed,
          .title = fmt::format("{} {}", cases.size(), cases.size() == 1 ? "case" : "cases")};
}

Check check_random(const Exercise& exercise, LearnerFunction f, const Watch& watch) {
  for (int i = 1; i <= kRandomCases; ++i) {
    Random random(static_cast<std::uint64_t>(i));  // the same cases every time
    Case example{.title = fmt::format("random case {}", i), .arguments = exercise.random(random), .expected = {}};
    example.expected = answer_of(exercise.reference.call, example.arguments, exercise.reference.result);
    watch.trying(example.title, input_shown(example));
    Check check = check_case(exercise, f, example, watch.found);
    if (check.state != CheckState::passed) return check;
  }
  return {.name = "random", .state = CheckState::passed, .title = fmt::format("{} cases", kRandomCases)};
}

using RunCheck = std::function<Check(const Exercise&, LearnerFunction, const Watch&)>;
// Who listens has thrown, which is not their code's doing: it is taken past all that is caught here.
struct ThrownByListener {
  std::exception_ptr what;
};
template <class... Args>
void tell(const std::function<void(Args...)>& listener, const std::type_identity_t<Args>&... args) {
  try {
    if (listener) listener(args...);
  } catch (...) {
    throw ThrownByListener{std::current_exception()};
  }
}

RunCheck in_engine(Check (*check)(const Exercise&, LearnerFunction)) {
  return [check](const Exercise& exercise, LearnerFunction f, const Watch& watch) {
    watch.trying("inside pebble", "");
    return check(exercise, f);
  };
}

}  // namespace

std::string_view name_of(CheckState state) {
  switch (state) {
    case CheckState::passed: return "passed";
    case CheckState::failed: return "failed";
    case CheckState::not_yet: return "not-yet";
    case CheckState::skipped: return "skipped";
  }
  return "";
}

bool Report::passed() const {
  return std::all_of(checks.begin(), checks.end(), [](const Check& check) {
    return check.state == CheckState::passed || check.state == CheckState::skipped;
  });
}

const Check* Report::failure() const {
  const auto found = std::find_if(checks.begin(), checks.end(), [](const Check& check) {
    return check.state == CheckState::failed || check.state == CheckState::not_yet;
  });
  return found == checks.end() ? nullptr : &*found;
}

Check check_case(const Exercise& exercise, LearnerFunction f, const Case& example,
                 const std::function<void(const Check&)>& found) {
  Check check{.name = example.arithmetic.empty() ? "random" : "by-hand", .title = example.title};
  const Answer got = answer_of(f, example.arguments, exercise.reference.result);
  check.state = agree(example.expected, got, exercise.tolerance) ? CheckState::passed : CheckState::failed;
  if (check.state == CheckState::passed) return check;
  check.input = input_shown(example);
  check.arithmetic = example.arithmetic;
  show_difference(check, example, got, exercise.tolerance);
  check.causes = likely_causes(exercise, example, got, f, [&](const std::vector<Cause>& causes) {
    check.causes = causes;
    if (found) found(check);
  });
  return check;
}

Report run_checks(const Exercise& exercise, LearnerFunction f, const CheckOptions& options) {
  Report report{.exercise = std::string(exercise.name), .checks = {}};
  const std::pair<std::string_view, RunCheck> all[] = {{"by-hand", check_by_hand},
                                                       {"random", check_random},
                                                       {"pebble", in_engine(check_pebble)},
                                                       {"story", in_engine(check_story)},
                                                       {"speed", in_engine(check_speed)}};
  std::string_view running;
  std::string title, input;  // of the last case that was begun
  Watch watch;
  watch.trying = [&](std::string_view of, std::string_view with) {
    title = of;
    input = with;
    tell(options.trying, of, with);
  };
  watch.found = [&](const Check& failed) {
    if (!options.found) return;
    Report so_far = report;
    so_far.checks.push_back(failed);
    so_far.checks.back().name = running;
    tell(options.found, so_far);
  };
  for (const auto& [name, run] : all) {
    if (name == "speed" && !options.speed) continue;
    if ((name == "by-hand" || name == "random") && !options.cases) continue;
    if (options.begin) options.begin(name);
    running = name;
    Check check;
    try {
      check = run(exercise, f, watch);
    } catch (const ThrownByListener& thrown) {
      std::rethrow_exception(thrown.what);
    } catch (const NotYet& e) {
      check.state = CheckState::not_yet;
      check.title = e.what();
    } catch (const KernelFault& e) {
      check = {.state = CheckState::failed, .title = title, .input = input};
      check.expected = "a kernel that keeps to its memory, and gives the same in whatever order its threads run";
      check.causes = likely_causes(exercise, e, check.got);
    } catch (const std::exception& e) {  // what their answer is, or asks for, makes something of ours throw
      check = {.state = CheckState::failed, .title = title, .input = input};
      check.got = fmt::format("what your code gave cannot be used: {}", e.what());
    }
    check.name = name;
    report.checks.push_back(std::move(check));
    const bool goes_on = report.checks.back().state == CheckState::failed && !options.cases && name == "pebble";
    if (report.failure() != nullptr && !goes_on) break;
  }
  return report;
}

OrderedJson to_json(const Where& where) {
  OrderedJson json{{"tensor", where.checkpoint}, {"layer", where.layer},       {"token", where.token},
                   {"index", where.index},       {"expected", where.expected}, {"got", where.got},
                   {"distance", where.distance}};
  if (where.head) json["head"] = *where.head;
  return json;
}

OrderedJson to_json(const Report& report) {
  OrderedJson checks = OrderedJson::array();
  for (const Check& check : report.checks) {
    OrderedJson one{{"check", check.name}, {"state", name_of(check.state)}, {"title", check.title}};
    const std::pair<const char*, const std::string*> texts[] = {
        {"input", &check.input},           {"expected", &check.expected}, {"got", &check.got},
        {"arithmetic", &check.arithmetic}, {"story", &check.story},       {"referenceStory", &check.reference_story}};
    for (const auto& [name, text] : texts) {
      if (!text->empty()) one[name] = *text;
    }
    if (check.where) one["where"] = to_json(*check.where);
    for (const Cause& cause : check.causes) {
      one["causes"].push_back({{"id", cause.id}, {"sentence", cause.sentence}, {"page", cause.page}});
    }
    checks.push_back(std::move(one));
  }
  return {{"exercise", report.exercise}, {"passed", report.passed()}, {"checks", std::move(checks)}};
}

}  // namespace rung::learn

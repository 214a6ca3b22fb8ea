#include "cli/learn/check_learner.h"

#include <fmt/format.h>

#include <filesystem>
#include <string_view>
#include <utility>

#include "base/signals.h"
#include "cli/child.h"
#include "cli/command.h"
#include "cli/learn/built.h"
#include "cli/learn/how_it_ended.h"
#include "cli/learn/in_child.h"

namespace rung {

namespace {

#if defined(__APPLE__)
constexpr const char* kLoadedFirst = "DYLD_INSERT_LIBRARIES=";
#else
constexpr const char* kLoadedFirst = "LD_PRELOAD=";
#endif

OrderedJson a_check(const char* name, const char* state, std::string title) {
  return {{"check", name}, {"state", state}, {"title", std::move(title)}};
}

// Their code did not come back: the checks before passed, the last one did not.
OrderedJson report_of(const HowItEnded& ended, const ExerciseText& exercise) {
  OrderedJson checks = OrderedJson::array();
  for (std::size_t i = 0; i + 1 < ended.checks.size(); ++i) {
    checks.push_back(a_check(ended.checks[i].c_str(), "passed", ""));
  }
  OrderedJson last = a_check(ended.checks.empty() ? "by-hand" : ended.checks.back().c_str(), "failed", ended.title);
  if (!ended.input.empty()) last["input"] = ended.input;
  last["got"] = ended.stopped_by;
  if (!ended.place.empty()) last["place"] = ended.place;
  if (!ended.line.empty()) last["line"] = ended.line;
  checks.push_back(std::move(last));
  return {{"exercise", exercise.name}, {"passed", false}, {"checks", std::move(checks)}};
}

// What had failed before it was stopped is told first: it was run again, to find out why. What stopped it is told
// beside.
void add_stop(OrderedJson& report, const HowItEnded& ended) {
  OrderedJson& then = report.at("checks").back()["then"];
  then = {{"got", ended.stopped_by}};
  if (!ended.place.empty()) then["place"] = ended.place;
  if (!ended.line.empty()) then["line"] = ended.line;
}

// "kernel k: read unordered after a write (threadgroup memory) at F:25:60, thread 1; the other: F:24:32, thread 0 of
// the same threadgroup" → "thread 1 reads threadgroup memory at F:25:60, thread 0 of the same threadgroup writes it at
// F:24:32, and nothing says which of them is first". Other findings stay as the emulator says them.
std::string in_plain_words(const std::string& finding) {
  std::string_view rest = finding;
  bool is_race = true;
  const auto until = [&](std::string_view mark) {
    const std::size_t at = rest.find(mark);
    is_race = is_race && at != rest.npos;
    const std::string_view word = rest.substr(0, is_race ? at : 0);
    rest.remove_prefix(is_race ? at + mark.size() : 0);
    return word;
  };
  until(": ");
  const std::string_view verb = until(" unordered after a "), before = until(" ("), space = until(" memory) at "),
                         place = until(", thread "), thread = until("; the other: "), other = until(", thread ");
  if (!is_race) return finding;
  return fmt::format("thread {} {}s {} memory at {}, thread {} {}s it at {}, and nothing says which of them is first",
                     thread, verb, space, place, rest, before, other);
}

// What the emulator found in a kernel names its line, as "m7-kernel.metal:12".
void name_places(OrderedJson& report, const LearnerFolder& folder, const ExerciseText& exercise) {
  if (!exercise.is_kernel()) return;
  for (OrderedJson& check : report.at("checks")) {
    if (check.at("state") != "failed" || !check.contains("got") || check.contains("place")) continue;
    std::string got = without_folder(check.at("got").get<std::string>(), folder.path());
    const std::string line = line_named(got, exercise.file());
    got = got.substr(0, got.find(", address "));  // in this process: of no use to anybody
    check["got"] = in_plain_words(got);
    if (line.empty()) continue;
    check["place"] = fmt::format("{}:{}", exercise.file(), line);
    check["line"] = text_of_line(folder.code_of(exercise).value_or(""), std::stoul(line));
  }
}

}  // namespace

OrderedJson check_learner(const LearnerFolder& folder, const ExerciseText& exercise, const CompileOptions& options,
                          bool debug) {
  const SignalWatch watch;  // what is started here ends with us, and leaves no folder
  const WorkFolder work;
  const Compiled compiled = compile_exercise(folder, exercise, work, options);
  OrderedJson compile = a_check("compile", compiled.ok ? "passed" : "failed", "");
  if (!compiled.said.empty()) compile[compiled.ok ? "warnings" : "got"] = compiled.said;
  if (!compiled.ok) {
    return {{"exercise", exercise.name}, {"passed", false}, {"checks", OrderedJson::array({std::move(compile)})}};
  }
  const std::string report_file = (work / "report.json").string();
  std::vector<std::string> command{this_program().string(),   kChildVerb, debug ? "debug" : "check", exercise.name,
                                   compiled.library.string(), report_file};
  if (options.sanitize) {
    command.push_back("sanitized");
    // no leaks: what a program still has at its end is nobody's mistake here
    command.insert(command.begin(),
                   {"env", kLoadedFirst + compiled.sanitizers.string(),
                    "ASAN_OPTIONS=detect_leaks=0:abort_on_error=0:exitcode=70:verify_asan_link_order=0",
                    "UBSAN_OPTIONS=print_stacktrace=1"});
  }
  const ChildResult result = run_child(command, work.path(), [] {}, {.ends_group = true});
  HowItEnded ended = how_it_ended(result, folder, {&exercise}, {{exercise.name, compiled.library.string()}});
  std::error_code ignored;
  const bool has_report = std::filesystem::exists(report_file, ignored);
  if (ended.stopped_by.empty() && (result.status != 0 || !has_report)) {
    ended.stopped_by = fmt::format("the process with your code ended {}: {}", has_report ? "early" : "without a report",
                                   ended.rest.empty() ? fmt::format("status {}", result.status) : ended.rest);
  }
  OrderedJson report = has_report ? parse_ordered_json(read_file(report_file), report_file) : OrderedJson();
  const bool had_failed = has_report && !report.at("passed").get<bool>();
  if (!ended.stopped_by.empty() && !had_failed) report = report_of(ended, exercise);
  name_places(report, folder, exercise);
  if (!ended.stopped_by.empty() && had_failed) add_stop(report, ended);
  report["checks"].insert(report["checks"].begin(), std::move(compile));
  if (!result.output.empty()) report["printed"] = result.output;
  return report;
}

const OrderedJson* failure_of(const OrderedJson& report) {
  for (const OrderedJson& check : report.at("checks")) {
    if (check.at("state") == "failed" || check.at("state") == "not-yet") return &check;
  }
  return nullptr;
}

}  // namespace rung

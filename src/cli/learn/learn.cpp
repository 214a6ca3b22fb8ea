#include "cli/learn/learn.h"

#include <fmt/format.h>

#include "base/atomic_file.h"
#include "base/error.h"
#include "cli/command.h"
#include "cli/learn/compile_kernel.h"
#include "cli/learn/report_text.h"
#include "cli/learn/steps.h"
#include "cli/learn/watch.h"
#include "cli/terminal.h"

namespace rung {

namespace {

class Learn : public Command {
 public:
  const char* name() const override { return "learn"; }
  const char* summary() const override { return "write its parts yourself, and see them run inside a model"; }
  const char* example() const override { return "rung learn"; }
  const char* details() const override {
    return "What to do:\n"
           "  (nothing)        list the exercises, with what is solved\n"
           "  start FOLDER     make a folder to write in: one file an exercise; what is there stays\n"
           "  next [NAME]      the next exercise: what it is for, and what to write; or one that you name\n"
           "  check [NAME]     compile and check it: by hand, random cases, inside pebble, the story\n"
           "  watch [NAME]     check at every save; keys: n next, h hint, s solution, l list, c check, q quit\n"
           "  hint [NAME]      the next of three hints\n"
           "  solution [NAME]  the solution, to whoever asks twice\n"
           "  debug [NAME]     the first number inside pebble that is not as it should be, and why\n"
           "  export FILE      all of it in one file, which the course's page can read\n"
           "  import FILE      the way back; what differs is put beside yours\n"
           "NAME is an exercise's, its file's, or a part of it (rms); without it, the next one is meant.\n"
           "Solved code runs in any model: rung generate --with FOLDER \"Once upon a time\"\n";
  }

  void add_options(Options& options) override {
    options.add("action", action_, "start, next, check, watch, hint, solution, debug, export, import (default: list)")
        .type_name("WHAT");
    options.add("what", what_, "the exercise, the folder or the file").type_name("NAME");
    options.add("--folder", folder_, "the learner's folder (default: this one, or the next above it that is one)")
        .type_name("FOLDER");
    options.add("--compiler", compile_.compiler, "the C++ compiler (default: c++, g++ or clang++)").type_name("NAME");
    options.add("--sanitize", compile_.sanitize, "check and debug with the address and undefined sanitizers");
    options.add("--json", json_, "one JSON object: the list, next, a hint, or the report of check and debug");
  }

  int run() override {
    const std::string action = action_.value_or("list");
    for (const Action& meant : kActions) {
      if (action != meant.name) continue;
      if (json_ && !meant.has_json) throw UsageError("--json goes with list, next, check, hint and debug");
      if ((compile_.sanitize || !compile_.compiler.empty()) && !meant.compiles) {
        throw UsageError("--compiler and --sanitize go with check, watch and debug");
      }
      return (this->*meant.run)();
    }
    throw UsageError(fmt::format("there is nothing called '{}' to do", visible(action)));
  }

 private:
  struct Action {
    const char* name;
    int (Learn::*run)();
    bool has_json = false, compiles = false;
  };
  static const Action kActions[10];

  LearnerFolder folder() const { return LearnerFolder::open(folder_); }
  // The one that is named, or the next.
  const ExerciseText& exercise(const LearnerFolder& folder) const {
    const ExerciseText* const next = folder.next();
    if (what_) return exercise_named(*what_, next == nullptr ? "" : next->milestone);
    if (next == nullptr) throw UsageError("all exercises are solved: name one");
    return *next;
  }
  const std::string& needed(const char* what) const {
    if (!what_ || what_->empty()) throw UsageError(fmt::format("{}: found nothing, expected {}", *action_, what));
    return *what_;
  }

  int list() {
    if (what_) throw UsageError(fmt::format("list: found '{}', expected nothing after it", visible(*what_)));
    const std::optional<LearnerFolder> folder = LearnerFolder::find(folder_);
    if (!json_) {
      write_out(list_text(folder ? &*folder : nullptr));
      return 0;
    }
    OrderedJson all = OrderedJson::array();
    for (const ExerciseText& e : exercise_texts()) {
      const ExerciseProgress progress = folder ? std::as_const(*folder).progress(e) : ExerciseProgress{};
      all.push_back({{"name", e.name},
                     {"title", e.title},
                     {"milestone", e.milestone},
                     {"testOut", e.test_out},
                     {"done", folder && folder->is_done(e)},
                     {"passed", folder && folder->is_solved(e)},
                     {"hints", progress.hints},
                     {"solution", progress.opened_solution}});
      if (const std::string missing = missing_for(e); !missing.empty()) all.back()["leftOut"] = missing;
    }
    write_line({{"exercises", std::move(all)}});
    return 0;
  }

  int start() {
    std::size_t written = 0;
    const LearnerFolder made = LearnerFolder::start(needed("a folder"), written);
    write_out(fmt::format("{}: {}\nGo there, then: rung learn next\n", made.path().string(),
                          written == 0 ? "everything is there already" : fmt::format("{} files written", written)));
    return 0;
  }

  int next() {
    const LearnerFolder here = folder();
    if (!what_ && !json_ && here.next() == nullptr) {
      write_out("All exercises are solved.\n");
      return 0;
    }
    const ExerciseText& meant = exercise(here);
    if (!json_) {
      write_out(next_text(here, meant));
      return 0;
    }
    write_line({{"name", meant.name},
                {"title", meant.title},
                {"milestone", meant.milestone},
                {"minutes", meant.minutes},
                {"text", meant.text},
                {"file", here.file_of(meant).string()}});
    return 0;
  }

  int check() {
    LearnerFolder here = folder();
    const ExerciseText& meant = exercise(here);
    const Checked result = checked(here, meant, compile_);
    return give(result, here, meant);
  }

  // Where pebble does not show it, what else is wrong.
  int debug() {
    LearnerFolder here = folder();
    const ExerciseText& meant = exercise(here);
    OrderedJson inside = check_learner(here, meant, compile_, true);
    if (!inside.at("passed").get<bool>() || meant.checks->place == nullptr) {
      return give({.report = std::move(inside)}, here, meant);
    }
    const Checked all = checked(here, meant, compile_);
    if (!json_ && !all.report.at("passed").get<bool>()) {
      write_out("Inside pebble nothing is wrong; the case that fails is:\n");
    }
    return give(all, here, meant);
  }

  int give(const Checked& result, const LearnerFolder& here, const ExerciseText& meant) const {
    if (json_) {
      write_line(result.report);
      write_error(result.unsaved);
    } else {
      write_out(checked_text(result, here, meant));
    }
    return result.report.at("passed").get<bool>() ? 0 : 1;
  }

  int watch() {
    LearnerFolder here = folder();
    return rung::watch(here, exercise(here), compile_);
  }

  int hint() {
    LearnerFolder here = folder();
    const ExerciseText& meant = exercise(here);
    if (json_) {
      const Hint hint = next_hint(here, meant);
      write_line({{"name", meant.name}, {"hint", hint.number}, {"of", hint.of}, {"text", hint.text}});
      write_error(hint.unsaved);
    } else {
      write_out(hint_text(here, meant));
    }
    return 0;
  }

  int solution() {
    LearnerFolder here = folder();
    const ExerciseText& meant = exercise(here);
    write_out(solution_text(here, meant));
    return 0;
  }

  int export_all() {
    const LearnerFolder here = folder();
    const OrderedJson all = here.exported();
    const std::string& path = needed("a file to write");
    if (here.needs(path)) {
      throw UsageError(fmt::format("{}: is a file of the exercises: expected another", visible(path)));
    }
    AtomicFile file(path);
    file.write(all.dump(1) + "\n");
    file.commit();
    write_out(fmt::format("{}: {} exercises\n", visible(*what_), all.at("exercises").size()));
    return 0;
  }

  int import_all() {
    LearnerFolder here = folder();
    const std::string& path = needed("a file that rung learn export, or the course's page, has written");
    const std::vector<std::string> lines = here.import(parse_json(read_file(path), path), path);
    for (const std::string& line : lines) write_out(line + "\n");
    if (lines.empty()) write_out("no code in it that is not here already\n");
    return 0;
  }

  std::optional<std::string> action_, what_;
  std::string folder_;
  CompileOptions compile_;
  bool json_ = false;
};

const Learn::Action Learn::kActions[10]{{"list", &Learn::list, true},          {"start", &Learn::start},
                                        {"next", &Learn::next, true},          {"check", &Learn::check, true, true},
                                        {"watch", &Learn::watch, false, true}, {"hint", &Learn::hint, true},
                                        {"debug", &Learn::debug, true, true},  {"solution", &Learn::solution},
                                        {"export", &Learn::export_all},        {"import", &Learn::import_all}};

}  // namespace

std::unique_ptr<Command> make_learn() { return std::make_unique<Learn>(); }

}  // namespace rung

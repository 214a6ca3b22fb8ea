#include "cli/learn/how_it_ended.h"

#include <fmt/format.h>

#include <csignal>
#include <sstream>

#include "base/error.h"
#include "base/json.h"
#include "cli/learn/in_child.h"
#include "cli/learn/work_folder.h"
#include "cli/terminal.h"

namespace rung {

namespace {

std::string last_line_of(const std::string& words) {
  const std::size_t end = words.find_last_not_of('\n');
  return end == words.npos ? "" : words.substr(words.rfind('\n', end) + 1, end - words.rfind('\n', end));
}

std::string words_of_signal(int signal, const std::string& rest) {
  // libstdc++: "…/span:283: …: Assertion '__idx < size()' failed."; libc++: "… assertion … failed: …"
  if (signal == SIGABRT && (rest.find("__n < this->size()") != rest.npos || rest.find("__idx < size()") != rest.npos ||
                            rest.find("out of bounds") != rest.npos)) {
    return "an index is beyond the end: [i] of a span, vector or string wants i < size()";
  }
  if (signal == SIGABRT && rest.find("ssertion") != rest.npos) {
    return "the standard library was asked for what is not there (the front of something empty, a part beyond its end)";
  }
  switch (signal) {
    case SIGSEGV:
    case SIGBUS: return "it reads or writes memory that does not belong to it";
    case SIGFPE: return "it divides a whole number by zero";
    case SIGABRT:  // most often somebody says why, and then calls it
      return rest.empty() ? "it was ended by abort()" : std::string(visible(last_line_of(rest)));
    case SIGKILL: return "the system ended it: most likely your code asked for more memory than there is";
    case SIGILL:
    case SIGTRAP: return "it came to a place that must not be reached: a function that ends without return?";
  }
  return fmt::format("signal {} ended it", signal);
}

// "file:line" of an address in a library, if it is in `file`. Code that was inlined is followed outwards.
std::string line_of(const std::string& library, const std::string& offset, const std::string& file) {
  const WorkFolder work;
  const std::vector<std::vector<std::string>> ways{
      {"addr2line", "-i", "-e", library, "0x" + offset},
      {"llvm-symbolizer", "--functions=none", "-e", library, "0x" + offset}};
  for (const auto& way : ways) {
    try {
      std::istringstream said(run_child(way, work.path(), [] {}).output);
      for (std::string line; std::getline(said, line);) {
        if (line.rfind(file + ":", 0) != 0) continue;
        const std::size_t number = file.size() + 1;
        return line.substr(number, line.find_first_not_of("0123456789", number) - number);
      }
    } catch (const Error&) {  // it is not installed
    }
  }
  return "";
}

// "==7==ERROR: AddressSanitizer: heap-buffer-overflow on address …", "…cpp:4:7: runtime error: signed integer overflow"
std::string words_of_sanitizer(const std::string& rest) {
  for (const char* begin : {"AddressSanitizer: ", "runtime error: "}) {
    const std::size_t at = rest.find(begin);
    if (at == rest.npos) continue;
    std::string words = rest.substr(at + std::string_view(begin).size());
    words = words.substr(0, words.find('\n'));
    return words.substr(0, words.find(" on address"));
  }
  return "";
}

}  // namespace

std::string text_of_line(const std::string& code, std::size_t number) {
  std::istringstream lines(code);
  std::string line;
  for (std::size_t i = 0; i < number && std::getline(lines, line); ++i) {
  }
  const std::size_t first = line.find_first_not_of(" \t");
  return first == line.npos ? "" : line.substr(first);
}

std::string line_named(const std::string& words, const std::string& file) {
  const std::size_t at = words.find(file + ":");
  if (at == words.npos) return "";
  const std::size_t number = at + file.size() + 1;
  const std::string digits = words.substr(number, words.find_first_not_of("0123456789", number) - number);
  return digits.size() > 9 ? "" : digits;  // else no compiler wrote it
}

HowItEnded how_it_ended(const ChildResult& result, const LearnerFolder& folder,
                        const std::vector<const ExerciseText*>& exercises,
                        const std::vector<TellRequest::Library>& libraries) {
  HowItEnded ended;
  std::string crash, thrown;
  struct Frame {
    std::size_t library;
    std::string offset;
  };
  std::vector<Frame> frames;
  std::istringstream lines(result.errors);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string rung, what;
    words >> rung >> what;
    if (rung != "@rung") {
      if (!line.empty()) ended.rest += line + "\n";
    } else if (what == "check") {
      words >> ended.checks.emplace_back();
      ended.title.clear();
      ended.input.clear();
    } else if (what == "case") {
      const Json example = Json::parse(line.substr(line.find('{')), nullptr, false);
      ended.title = string_in(example, "title");
      ended.input = string_in(example, "input");
    } else if (what == "crash") {
      words >> crash;
    } else if (what == "hangs" || what == "memory" || what == "exit") {
      crash = what;
    } else if (what == "threw") {
      crash = what;
      thrown = visible(line.substr(line.find(what) + what.size() + 1));
    } else if (what == "at") {
      Frame frame{};
      if (words >> frame.library >> frame.offset && frame.library < exercises.size()) frames.push_back(frame);
    }
  }
  const std::string sanitizer = words_of_sanitizer(ended.rest);
  if (!sanitizer.empty()) {
    ended.stopped_by = fmt::format("the sanitizer found: {}", sanitizer);
  } else if (crash == "hangs") {
    ended.stopped_by = "it did not come back within 5 seconds of computing: is there a loop that never ends?";
  } else if (crash == "memory") {
    ended.stopped_by = "your code asked for more memory than there is (a check has 4 GB for it)";
  } else if (crash == "exit") {
    ended.stopped_by = "your code called exit(): a function ends with return";
  } else if (crash == "threw") {
    ended.stopped_by = fmt::format("your code threw: {}", thrown);
  } else if (crash == "overflow") {
    ended.stopped_by = "the stack is full: does a function call itself without an end?";
  } else if (!crash.empty()) {
    ended.stopped_by = words_of_signal(std::atoi(crash.c_str()), ended.rest);
  } else if (result.status > 128) {
    ended.stopped_by = words_of_signal(result.status - 128, ended.rest);
  }
  if (ended.stopped_by.empty()) return ended;
  const auto found = [&](const ExerciseText& exercise, const std::string& number) {
    if (number.empty()) return false;
    ended.place = fmt::format("{}:{}", exercise.file(), number);
    ended.line = text_of_line(folder.code_of(exercise).value_or(""), std::stoul(number));
    return true;
  };
  for (const Frame& frame : frames) {
    const ExerciseText& exercise = *exercises[frame.library];
    if (found(exercise, line_of(libraries[frame.library].path, frame.offset, folder.file_of(exercise).string()))) {
      return ended;
    }
  }
  for (const ExerciseText* const exercise : exercises) {
    if (found(*exercise, line_named(ended.rest, folder.file_of(*exercise).string()))) break;
  }
  return ended;
}

}  // namespace rung

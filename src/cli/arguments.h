// What a verb can be told, and argv → those values. Errors, --help and the shells' completions read the same
// description. The parser behind it is CLI11: only arguments.cpp sees it, since whoever does compiles seconds longer.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rung {

// Arguments that cannot be: exit status 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// One option, or one argument that stands alone. It writes to the verb's own variable, which outlives it.
class Option {
 public:
  // What is wrong with a value ("found 'x', expected a number"); nothing: empty.
  using Check = std::function<std::string(const std::string&)>;

  Option& type_name(std::string type);  // what stands for its value in the help: "N", "FILE.svg"
  Option& group(std::string headline);  // under which the help lists it
  Option& check(Check what);            // instead of what its type implies
  Option& most(std::size_t values);     // of one that stands alone and may be given several times
  Option& show_default();               // the help names the value that its variable has now

  const std::vector<std::string>& names() const { return names_; }  // "-m", "--model"; of one that stands alone "text"
  const std::string& help() const { return help_; }
  const std::string& type_name() const { return type_name_; }
  const std::string& group() const { return group_; }
  const std::string& default_text() const { return default_text_; }
  bool stands_alone() const { return names_.front().front() != '-'; }  // has no name before its value
  bool is_flag() const { return takes_ == Takes::nothing; }            // has no value
  bool repeats() const { return takes_ == Takes::several; }            // may be given several times

 private:
  friend class Options;
  friend class Parser;
  enum class Takes { nothing, one, several };

  std::vector<std::string> names_;
  std::string help_, type_name_, group_, initial_, default_text_;
  Takes takes_ = Takes::one;
  std::size_t most_values_ = SIZE_MAX;
  Check check_;
  std::function<void(const std::string&)> take_;  // of a flag: with an empty text
};

// All of a verb's, in the order of its help.
class Options {
 public:
  using Take = std::function<void(const std::string&)>;  // what to do with a value that was checked

  // names: "-m,--model", or a word for a value that stands alone.
  Option& add(std::string_view names, bool& flag, std::string help);
  Option& add(std::string_view names, std::string& value, std::string help);
  Option& add(std::string_view names, std::optional<std::string>& value, std::string help);
  Option& add(std::string_view names, std::vector<std::string>& values, std::string help);
  Option& add(std::string_view names, float& value, std::string help);
  Option& add(std::string_view names, std::optional<float>& value, std::string help);
  Option& add(std::string_view names, std::vector<std::size_t>& values, std::string help);  // "1,64,512"
  template <std::unsigned_integral T>
  Option& add(std::string_view names, T& value, std::string help) {
    const auto take = [&value](std::uint64_t number) { value = static_cast<T>(number); };
    return add_whole(names, take, std::move(help), std::to_string(value));
  }
  template <std::unsigned_integral T>
  Option& add(std::string_view names, std::optional<T>& value, std::string help) {
    const auto take = [&value](std::uint64_t number) { value = static_cast<T>(number); };
    return add_whole(names, take, std::move(help), "");
  }
  Option& add_taking(std::string_view names, Take take, std::string help);  // for everything else

  const std::deque<Option>& all() const { return options_; }

 private:
  friend class Parser;
  Option& add_whole(std::string_view names, std::function<void(std::uint64_t)> take, std::string help,
                    std::string initial);

  std::deque<Option> options_;  // a deque: what add() returns stays where it is
};

enum class Parsed { values, help };  // help: --help was among them, and nothing else matters

// Gives the options what `arguments` (those after the verb) say. Throws UsageError, in the words of `rung VERB`.
Parsed parse_arguments(Options& options, std::vector<std::string> arguments, std::string_view verb);

}  // namespace rung

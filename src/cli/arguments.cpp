#include "cli/arguments.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "cli/foreign_words.h"
#include "cli/positive.h"
#include "cli/terminal.h"

namespace rung {

namespace {

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> pieces;
  for (std::size_t begin = 0, end = 0; end != list.npos; begin = end + 1) {
    end = list.find(',', begin);
    pieces.emplace_back(list.substr(begin, end - begin));
  }
  return pieces;
}

// A text that was checked → its number.
template <class T>
T number(const std::string& text) {
  T value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

Option& Option::type_name(std::string type) {
  type_name_ = std::move(type);
  return *this;
}

Option& Option::group(std::string headline) {
  group_ = std::move(headline);
  return *this;
}

Option& Option::check(Check what) {
  check_ = std::move(what);
  return *this;
}

Option& Option::most(std::size_t values) {
  most_values_ = values;
  return *this;
}

Option& Option::show_default() {
  default_text_ = initial_;
  return *this;
}

Option& Options::add_taking(std::string_view names, Take take, std::string help) {
  Option& option = options_.emplace_back();
  option.names_ = split(names);
  option.help_ = std::move(help);
  option.take_ = std::move(take);
  return option;
}

Option& Options::add(std::string_view names, bool& flag, std::string help) {
  Option& option = add_taking(names, [&flag](const std::string&) { flag = true; }, std::move(help));
  option.takes_ = Option::Takes::nothing;
  return option;
}

Option& Options::add(std::string_view names, std::string& value, std::string help) {
  Option& option = add_taking(names, [&value](const std::string& text) { value = text; }, std::move(help));
  option.initial_ = value;
  return option;
}

Option& Options::add(std::string_view names, std::optional<std::string>& value, std::string help) {
  return add_taking(names, [&value](const std::string& text) { value = text; }, std::move(help));
}

Option& Options::add(std::string_view names, std::vector<std::string>& values, std::string help) {
  Option& option = add_taking(names, [&values](const std::string& text) { values.push_back(text); }, std::move(help));
  option.takes_ = Option::Takes::several;
  return option;
}

Option& Options::add(std::string_view names, float& value, std::string help) {
  const auto take = [&value](const std::string& text) { value = number<float>(text); };
  return add_taking(names, take, std::move(help)).check(a_number);
}

Option& Options::add(std::string_view names, std::optional<float>& value, std::string help) {
  const auto take = [&value](const std::string& text) { value = number<float>(text); };
  return add_taking(names, take, std::move(help)).check(a_number);
}

Option& Options::add(std::string_view names, std::vector<std::size_t>& values, std::string help) {
  const auto take = [&values](const std::string& text) {
    values.clear();
    for (const std::string& piece : split(text)) values.push_back(number<std::size_t>(piece));
  };
  return add_taking(names, take, std::move(help)).check(positives);
}

Option& Options::add_whole(std::string_view names, std::function<void(std::uint64_t)> take, std::string help,
                           std::string initial) {
  const auto number_of = [take = std::move(take)](const std::string& text) { take(number<std::uint64_t>(text)); };
  Option& option = add_taking(names, number_of, std::move(help)).check(zero_or_more);
  option.initial_ = std::move(initial);
  return option;
}

// One use of CLI11. Each verb has an App of its own: CLI11 would take a text that is the name of another verb for that
// verb.
class Parser {
 public:
  Parser(Options& options, std::string_view verb) : verb_(verb) {
    app_.set_help_flag("-h,--help", "this text");
    app_.option_defaults()->disable_flag_override();  // --json=no is neither yes nor no
    for (Option& option : options.options_) define(option);
  }

  Parsed parse(std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
    const std::vector<std::string> given = arguments;
    try {
      app_.parse(arguments);
      refuse_empty_names();
      return Parsed::values;
    } catch (const CLI::Success&) {
      return Parsed::help;
    } catch (const CLI::ExtrasError&) {
      throw UsageError(words_of_extras());
    } catch (const CLI::ArgumentMismatch& e) {
      throw UsageError(words_of(e));
    } catch (const CLI::ParseError& e) {
      refuse_foreign_words(given);
      throw UsageError(fmt::format("{} (see rung {} --help)", e.what(), verb_));
    }
  }

 private:
  void define(Option& option) {
    const auto take = [&option](const CLI::results_t& values) {
      for (const std::string& value : values) option.take_(value);
      return true;
    };
    std::string names;
    for (const std::string& name : option.names_) names += (names.empty() ? "" : ",") + name;
    if (option.is_flag()) {
      app_.add_flag_callback(names, [&option] { option.take_(""); });
      return;
    }
    CLI::Option* const added = app_.add_option(names, take);
    added->type_name(option.type_name_)->type_size(1);
    if (option.repeats() && option.stands_alone()) {
      constexpr std::size_t kMost = 1 << 20;
      added->expected(0, static_cast<int>(std::min(option.most_values_, kMost)))->allow_extra_args();
    } else {
      added->expected(1);
      if (option.repeats()) added->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
    if (option.check_) added->check(option.check_);
  }

  // A script's variable that is not set, more likely than a name.
  void refuse_empty_names() const {
    for (const CLI::Option* option : app_.get_options()) {
      const std::string type = option->get_type_name();
      const bool is_name = type.starts_with("FILE") || type == "MODEL" || type == "NAME" || type == "FOLDER";
      const auto& given = option->results();
      if (!is_name || std::find(given.begin(), given.end(), "") == given.end()) continue;
      throw UsageError(
          fmt::format("{}: found nothing, expected a name (see rung {} --help)", option->get_name(), verb_));
    }
  }

  std::string words_of_extras() const {
    const std::vector<std::string> extras = app_.remaining();
    const std::string extra = extras.empty() ? "" : visible(extras.front());
    if (!extra.starts_with('-')) {
      return fmt::format("'{}' is one argument too many (a text is one argument: put it in quotes)", extra);
    }
    const std::string ours = answer_to_foreign_option(extra);
    if (!ours.empty()) return fmt::format("{} (see rung {} --help)", ours, verb_);
    return fmt::format("no option is called '{}' (see rung {} --help; a text that begins with - goes after --)", extra,
                       verb_);
  }

  // `-ngl 99` is no `-n gl`.
  void refuse_foreign_words(const std::vector<std::string>& arguments) const {
    for (const std::string& argument : arguments) {
      const bool is_word = argument.size() > 2 && argument[0] == '-' && argument[1] != '-';
      const std::string ours = is_word ? answer_to_foreign_option(argument) : "";
      if (!ours.empty()) throw UsageError(fmt::format("{} (see rung {} --help)", ours, verb_));
    }
  }

  // CLI11's own say how many arguments were required and received.
  std::string words_of(const CLI::ArgumentMismatch& e) const {
    std::string words = e.what();
    const std::string name = words.substr(0, words.find(':'));
    if (const CLI::Option* const option = app_.get_option_no_throw(name)) {
      const std::size_t count = option->count();
      const int most = option->get_expected_max();
      words = count == 0  ? fmt::format("{}: found nothing after it, expected {}", name, option->get_type_name())
              : most == 1 ? fmt::format("{}: found {} times, expected once", name, count)
                          : fmt::format("{}: found {}, expected at most {}", name, count, most);
    }
    return fmt::format("{} (see rung {} --help)", words, verb_);
  }

  CLI::App app_;
  std::string_view verb_;
};

Parsed parse_arguments(Options& options, std::vector<std::string> arguments, std::string_view verb) {
  return Parser(options, verb).parse(std::move(arguments));
}

}  // namespace rung

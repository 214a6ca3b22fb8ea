#include "learn/causes.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <sstream>
#include <utility>

#include "base/error.h"
#include "learn/divergence.h"
#include "learn/in_engine.h"
#include "learn/patterns.h"

namespace rung::learn {

namespace case_causes {
namespace {

constexpr std::size_t kMostCauses = 4;
constexpr double kSameWayOfFew = 0.98;  // of two or three numbers
constexpr std::uint64_t kMoreCases = 12;
constexpr double kSurely = 0.75;  // of the cases that a mistake answers as they do: from there on it is theirs

std::vector<double> numbers_of(const Content& content) {
  return std::visit(
      [](const auto& c) -> std::vector<double> {
        using T = std::decay_t<decltype(c)>;
        if constexpr (std::is_same_v<T, double>) {
          return {c};
        } else {
          std::vector<double> all;
          for (const auto element : c) all.push_back(static_cast<double>(element));
          if constexpr (std::is_same_v<T, std::string>) {
            for (double& byte : all) byte += byte < 0 ? 256 : 0;
          }
          return all;
        }
      },
      content);
}

unsigned bits_of(const Content& content) {
  return std::visit(
      [](const auto& c) -> unsigned {
        using T = std::decay_t<decltype(c)>;
        if constexpr (std::is_same_v<T, double> || std::is_same_v<T, std::vector<float>>) {
          return 0;
        } else {
          return 8 * sizeof(typename T::value_type);
        }
      },
      content);
}

// All of an answer's numbers in a row.
std::vector<double> numbers_of(const Answer& answer) {
  std::vector<double> all;
  const auto add = [&](const Content& content) {
    const std::vector<double> more = numbers_of(content);
    all.insert(all.end(), more.begin(), more.end());
  };
  for (const Content& output : answer.outputs) add(output);
  if (answer.result) add(*answer.result);
  return all;
}

// The first of an answer's contents that differs, beside the expected one.
Beside beside_of(const Exercise& exercise, const Case& example, const Answer& got) {
  Beside beside{.expected = {}, .got = {}, .tolerance = std::max(exercise.tolerance, 1e-7)};
  const auto take = [&](const Content& expected, const Content& theirs, const std::vector<std::size_t>& shape) {
    beside.expected = numbers_of(expected);
    beside.got = numbers_of(theirs);
    beside.shape = shape;
    beside.bits = bits_of(expected);
  };
  std::size_t outputs = 0;
  bool taken = false;
  for (const Argument& argument : example.arguments) {
    const std::size_t output = argument.output ? outputs++ : 0;
    if (argument.output && !taken &&
        first_difference(example.expected.outputs[output], got.outputs.at(output), exercise.tolerance)) {
      take(example.expected.outputs[output], got.outputs[output], argument.shape);
      taken = true;
    }
    std::vector<double> values = numbers_of(argument.content);
    const bool is_to_be_written = argument.output && !values.empty() && values[0] != values[0];
    if (!is_to_be_written) beside.inputs.push_back({argument.name, std::move(values)});
  }
  if (!taken && example.expected.result && got.result) take(*example.expected.result, *got.result, {});
  return beside;
}

// The cases by hand that f may be asked about after this one. Where things lie behind the end of the bytes, code that
// does not look where they end crashes, and that would be told instead of what is wrong here.
std::vector<Case> harmless_cases(const Exercise& exercise, const Case& example) {
  std::vector<Case> all = exercise.by_hand();
  const auto here = std::find_if(all.begin(), all.end(), [&](const Case& one) { return one.title == example.title; });
  const auto has_traps = [](const Case& one) {
    return std::any_of(one.arguments.begin(), one.arguments.end(), [](const Argument& a) { return !a.behind.empty(); });
  };
  if (here != all.end()) all.erase(std::remove_if(here + 1, all.end(), has_traps), all.end());
  return all;
}

// How many cases a mistake answers as f does: those by hand, and some random ones.
std::size_t agreement(const Exercise& exercise, const std::vector<Case>& by_hand, const KnownMistake& mistake,
                      LearnerFunction f, std::uint64_t random) {
  std::size_t same = 0;
  const auto ask = [&](const std::vector<Argument>& arguments) {
    try {
      const Answer theirs = answer_of(f, arguments, exercise.reference.result);
      same += agree(answer_of(mistake.call, arguments, exercise.reference.result), theirs, exercise.tolerance);
    } catch (const NotYet&) {  // of other cases a part may be missing
    }
  };
  for (const Case& example : by_hand) ask(example.arguments);
  for (std::uint64_t seed = 1; seed <= random; ++seed) {
    Random source(seed);
    ask(exercise.random(source));
  }
  return same;
}

// What a function gives that does nothing, of those that work in place.
std::optional<Answer> unchanged(const Exercise& exercise, const Case& example) {
  if (exercise.reference.result) return {};
  return answer_of([](RungValue*) {}, example.arguments, exercise.reference.result);
}

std::vector<Cause> shortened(std::vector<Cause> causes) {
  causes = each_once(causes);
  if (causes.size() > kMostCauses) causes.resize(kMostCauses);
  return causes;
}

using Suspects = std::vector<std::pair<double, const KnownMistake*>>;

void add(std::vector<Cause>& all, Suspects& suspects) {
  std::stable_sort(suspects.begin(), suspects.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  for (const auto& [weight, mistake] : suspects) all.push_back(cause_of(*mistake));
}

// Of mistakes that only resemble theirs the likeliest: the others would be as many wrong guesses.
void add_best(std::vector<Cause>& all, Suspects& guesses) {
  const auto best =
      std::max_element(guesses.begin(), guesses.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  if (best == guesses.end()) return;
  all.push_back(cause_of(*best->second));
  all.back().sentence.insert(0, kPerhaps);
}

// Whether one error is of the size of the other, more or less: of one that is not, the direction alone says nothing.
bool alike_in_size(std::span<const double> expected, std::span<const double> got, std::span<const double> mistaken) {
  constexpr double kTimes = 100;
  double theirs = 0, of_mistake = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!std::isfinite(got[i]) || !std::isfinite(expected[i])) continue;
    theirs = std::max(theirs, std::abs(got[i] - expected[i]));
    of_mistake = std::max(of_mistake, std::abs(mistaken[i] - expected[i]));
  }
  return theirs < kTimes * of_mistake && of_mistake < kTimes * theirs;
}

}  // namespace
}  // namespace case_causes

std::vector<Cause> likely_causes(const Exercise& exercise, const Case& example, const Answer& got, LearnerFunction f) {
  using namespace case_causes;
  const std::vector<double> expected = numbers_of(example.expected), theirs = numbers_of(got);
  const std::optional<Answer> untouched = unchanged(exercise, example);
  Suspects exact, once, near;
  for (const KnownMistake& mistake : exercise.mistakes) {
    if (!mistake.findings.empty()) continue;  // no number shows it
    const Answer mistaken = answer_of(mistake.call, example.arguments, exercise.reference.result);
    if (agree(mistaken, got, exercise.tolerance)) {
      exact.push_back({0, &mistake});
    } else if (untouched && agree(mistaken, *untouched, exercise.tolerance)) {
      continue;  // "nothing was done": that is so, or it is not
    } else if (const std::vector<double> there = numbers_of(mistaken); there.size() > 1) {
      // A single number leads one of two ways, and two or three often enough the same by chance.
      const double like = likeness(expected, theirs, there), enough = there.size() < 4 ? kSameWayOfFew : kSameWay;
      if (like >= enough && alike_in_size(expected, theirs, there)) near.push_back({like, &mistake});
    }
  }
  if (f != nullptr) {
    // One case is little: who gives the same by chance does not in the others.
    const std::uint64_t random = exact.size() > 1 && exercise.random != nullptr ? kMoreCases : 0;
    const std::vector<Case> by_hand = harmless_cases(exercise, example);
    for (auto& [same, mistake] : exact) same = static_cast<double>(agreement(exercise, by_hand, *mistake, f, random));
    const double all = static_cast<double>(by_hand.size() + random);
    const auto by_chance = [&](const auto& suspect) { return suspect.first < kSurely * all; };
    std::copy_if(exact.begin(), exact.end(), std::back_inserter(once), by_chance);
    exact.erase(std::remove_if(exact.begin(), exact.end(), by_chance), exact.end());
  }
  std::vector<Cause> all;
  add(all, exact);
  if (!all.empty()) return shortened(std::move(all));  // all else is noise beside it
  const std::string page(exercise.mistakes.empty() ? "" : exercise.mistakes[0].page);
  std::vector<FoundPattern> patterns = find_patterns(beside_of(exercise, example, got));
  const auto vague = std::stable_partition(patterns.begin(), patterns.end(), [](const FoundPattern& found) {
    return found.pattern != Pattern::magnitude;  // "far too small": that much can be seen without being told
  });
  const auto add_patterns = [&](auto begin, auto end) {
    for (auto it = begin; it != end; ++it) all.push_back({std::string(name_of(it->pattern)), it->sentence, page});
  };
  add_patterns(patterns.begin(), vague);
  add_best(all, once.empty() ? near : once);
  add_patterns(vague, patterns.end());
  return shortened(std::move(all));
}

std::vector<Cause> each_once(const std::vector<Cause>& causes) {
  std::vector<Cause> all;
  for (const Cause& cause : causes) {
    const auto is_it = [&](const Cause& said) { return said.id == cause.id; };
    if (std::none_of(all.begin(), all.end(), is_it)) all.push_back(cause);
  }
  return all;
}

Cause cause_of(const KnownMistake& mistake) {
  return {std::string(mistake.id), std::string(mistake.sentence), std::string(mistake.page)};
}

std::vector<Cause> likely_causes(const Exercise& exercise, const KernelFault& fault, std::string& finding) {
  std::vector<std::string> lines;
  std::istringstream words(fault.what());
  for (std::string line; std::getline(words, line);) lines.push_back(line);
  finding = lines.empty() ? "" : lines[0];
  std::vector<Cause> all;
  for (const KnownMistake& mistake : exercise.mistakes) {
    const auto shows_it = [&](const std::string& line) {
      return std::any_of(mistake.findings.begin(), mistake.findings.end(),
                         [&](std::string_view part) { return line.find(part) != line.npos; });
    };
    const auto found = std::find_if(lines.begin(), lines.end(), shows_it);
    if (found == lines.end()) continue;
    if (all.empty()) finding = *found;
    all.push_back(cause_of(mistake));
  }
  return all;
}

std::vector<Cause> causes_in_engine(const Exercise& exercise, const std::function<bool(SeamedEngine& mistaken)>& same) {
  std::vector<Cause> all;
  for (const KnownMistake& mistake : exercise.mistakes) {
    if (!mistake.findings.empty()) continue;
    SeamedEngine mistaken(seams_with(exercise, mistake.call));
    try {
      if (same(mistaken)) all.push_back(cause_of(mistake));
    } catch (const Error&) {  // what this mistake gives the engine refuses
    }
  }
  return each_once(all);
}

}  // namespace rung::learn

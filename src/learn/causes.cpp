#include "learn/causes.h"

#include <algorithm>
#include <cmath>
#include <exception>
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

// A mistake that gives what theirs gave in the case that failed, and in how many more it does.
struct Suspect {
  const KnownMistake* mistake;
  std::size_t same = 0;
};

// One case is little: who gives the same by chance does not in the others. Random ones come first: those by hand may
// lie about themselves, and careless code crashes there. How many were answered; `tell` is called before each.
std::size_t ask_more(const Exercise& exercise, LearnerFunction f, std::vector<Suspect>& suspects,
                     const std::function<void(std::size_t answered)>& tell) {
  std::vector<std::vector<Argument>> more;
  const std::uint64_t random = suspects.size() > 1 && exercise.random != nullptr ? kMoreCases : 0;
  for (std::uint64_t seed = 1; seed <= random; ++seed) {
    Random source(seed);
    more.push_back(exercise.random(source));
  }
  for (const Case& example : exercise.by_hand()) more.push_back(example.arguments);
  std::size_t answered = 0;
  for (const std::vector<Argument>& arguments : more) {
    tell(answered);
    try {
      const Answer theirs = answer_of(f, arguments, exercise.reference.result);
      std::vector<std::size_t> same;  // counted for all suspects, or, where one of them has no answer, for none
      for (const Suspect& suspect : suspects) {
        const Answer mistaken = answer_of(suspect.mistake->call, arguments, exercise.reference.result);
        same.push_back(agree(mistaken, theirs, exercise.tolerance));
      }
      for (std::size_t i = 0; i < same.size(); ++i) suspects[i].same += same[i];
      ++answered;
    } catch (const std::exception&) {  // a part of theirs may be missing, or what it gives may be no answer
    }
  }
  return answered;
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

// What the difference looks like, and which mistakes resemble it: said where no mistake explains it.
struct Looks {
  std::vector<Cause> telling = {}, vague = {};
  Guesses near = {};
};

void add_patterns(Looks& looks, const Exercise& exercise, const Beside& beside) {
  const std::string page(exercise.mistakes.empty() ? "" : exercise.mistakes[0].page);
  for (const FoundPattern& found : find_patterns(beside)) {
    // "far too small": that much can be seen without being told
    std::vector<Cause>& all = found.pattern == Pattern::magnitude ? looks.vague : looks.telling;
    all.push_back({std::string(name_of(found.pattern)), found.sentence, page});
  }
}

// What can be said when f has answered so many cases more.
std::vector<Cause> causes_after(std::size_t answered, std::vector<Suspect> suspects, const Looks& looks) {
  std::stable_sort(suspects.begin(), suspects.end(),
                   [](const Suspect& a, const Suspect& b) { return a.same > b.same; });
  std::vector<Cause> all;
  Guesses by_chance;
  // As long as no other case is answered, all suspects have answered the one that failed as theirs did. A single one is
  // their mistake, as far as anybody can know. Of several at most one is, so that none is sure.
  const auto is_other = [&](const Suspect& one) { return one.mistake->id != suspects[0].mistake->id; };
  const bool is_open = answered == 0 && std::any_of(suspects.begin(), suspects.end(), is_other);
  for (const auto& [mistake, same] : suspects) {
    if (!is_open && static_cast<double>(same) >= kSurely * static_cast<double>(answered)) {
      all.push_back(cause_of(*mistake));
    } else {
      by_chance.push_back({same, cause_of(*mistake)});
    }
  }
  if (!all.empty()) return shortened(std::move(all));  // all else is noise beside it
  all = looks.telling;
  add_best(all, by_chance.empty() ? looks.near : by_chance);
  all.insert(all.end(), looks.vague.begin(), looks.vague.end());
  return shortened(std::move(all));
}

}  // namespace
}  // namespace case_causes

void add_best(std::vector<Cause>& all, const Guesses& guesses) {
  const auto best =
      std::max_element(guesses.begin(), guesses.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  if (best == guesses.end()) return;
  all.push_back(best->second);
  all.back().sentence.insert(0, kPerhaps);
}

std::vector<Cause> likely_causes(const Exercise& exercise, const Case& example, const Answer& got, LearnerFunction f,
                                 const Known& known) {
  using namespace case_causes;
  const std::vector<double> expected = numbers_of(example.expected), theirs = numbers_of(got);
  const std::optional<Answer> untouched = unchanged(exercise, example);
  std::vector<Suspect> exact;
  Looks looks;
  for (const KnownMistake& mistake : exercise.mistakes) {
    if (!mistake.findings.empty()) continue;  // no number shows it
    const Answer mistaken = answer_of(mistake.call, example.arguments, exercise.reference.result);
    if (agree(mistaken, got, exercise.tolerance)) {
      exact.push_back({&mistake});
    } else if (untouched && agree(mistaken, *untouched, exercise.tolerance)) {
      continue;  // "nothing was done": that is so, or it is not
    } else if (const std::vector<double> there = numbers_of(mistaken); there.size() > 1) {
      // A single number leads one of two ways, and two or three often enough the same by chance.
      const double like = likeness(expected, theirs, there), enough = there.size() < 4 ? kSameWayOfFew : kSameWay;
      if (like >= enough && alike_in_size(expected, theirs, there)) looks.near.push_back({like, cause_of(mistake)});
    }
  }
  add_patterns(looks, exercise, beside_of(exercise, example, got));
  if (f == nullptr || exact.empty()) return causes_after(0, std::move(exact), looks);
  const auto tell = [&](std::size_t answered) {
    if (known) known(causes_after(answered, exact, looks));
  };
  const std::size_t answered = ask_more(exercise, f, exact, tell);
  return causes_after(answered, std::move(exact), looks);
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

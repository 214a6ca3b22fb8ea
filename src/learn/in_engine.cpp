#include "learn/in_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "learn/causes.h"
#include "learn/divergence.h"

namespace rung::learn {

namespace {

constexpr std::string_view kTokenizedTexts[] = {kTracedText, "  Two  spaces,\na new line", "I'll pay 2026 coins: 7%!",
                                                "Zoë’s café 🦊 日本"};
// The second begins as the first: what the cache keeps shows there.
constexpr std::string_view kPrompts[] = {"Once upon a time", "Once upon a midnight, Zoë 🦊 said"};

std::string pieces_of(const LoadedModel& model, std::span<const TokenId> ids) {
  std::string text;
  for (const TokenId id : ids) {
    const std::string piece = model.tokenizer().piece(id);
    text += fmt::format("{}{}", text.empty() ? "" : " ", shown(Content(piece)));
  }
  return text;
}

// Both engines' ids of some texts; nothing: they are the same.
bool tokens_differ(Check& check, const Exercise& exercise, const SeamedEngine& theirs, const SeamedEngine& expected) {
  for (const std::string_view text : kTokenizedTexts) {
    const std::vector<TokenId> right = expected.encode(text), got = theirs.encode(text);
    if (got == right) continue;
    check.title = "the tokens of a text";
    check.input = shown(Content(std::string(text)));
    check.expected = pieces_of(expected.model(), right);
    check.got = pieces_of(expected.model(), got);
    check.causes = causes_in_engine(exercise, [&](SeamedEngine& mistaken) { return mistaken.encode(text) == got; });
    return true;
  }
  return false;
}

// Runs `inside`; what the engine refuses is what their code made.
template <class Inside>
Check checked(Check check, const Inside& inside) {
  try {
    inside(check);
  } catch (const Error& e) {
    check.state = CheckState::failed;
    check.got = e.what();
    if (check.expected.empty()) check.expected = "what the engine can go on with";
  }
  return check;
}

void show_first_wrong(Check& check, const Divergence& wrong, std::span<const TokenId> ids, const Tokenizer& tokenizer) {
  check.where = wrong;
  check.title = fmt::format("first wrong in pebble: {}, at token {} of 0 to {}, {}", wrong.checkpoint, wrong.token,
                            ids.size() - 1, shown(Content(tokenizer.piece(ids[wrong.token]))));
  check.input = shown(Content(std::string(kTracedText)));
  const auto row = [&](const std::vector<double>& tensor) {
    const auto first = tensor.begin() + static_cast<std::ptrdiff_t>(wrong.row * wrong.row_width);
    return shown(Content(std::vector<float>(first, first + static_cast<std::ptrdiff_t>(wrong.row_width))), {},
                 wrong.place());
  };
  check.expected = row(wrong.sound);
  check.got = row(wrong.theirs);
}

// How often a call can be made in a second: the best of three.
double calls_per_second(LearnerFunction f, const std::vector<Argument>& arguments) {
  std::vector<Argument> own = arguments;
  std::vector<RungValue> values = values_for(own);
  double best = 0;
  for (int round = 0; round < 3; ++round) {
    const Clock::time_point start = Clock::now();
    double calls = 0, seconds = 0;
    for (std::size_t batch = 1; seconds < 0.02; batch *= 2) {
      for (std::size_t i = 0; i < batch; ++i) f(values.data());
      calls += static_cast<double>(batch);
      seconds = seconds_since(start);
    }
    best = std::max(best, calls / seconds);
  }
  return best;
}

std::string with_unit(double per_second) {
  if (per_second >= 1e9) return fmt::format("{:.2f} billion", per_second / 1e9);
  if (per_second >= 1e6) return fmt::format("{:.1f} million", per_second / 1e6);
  if (per_second >= 1e4) return fmt::format("{:.0f} thousand", per_second / 1e3);
  return fmt::format("{:.0f}", per_second);
}

}  // namespace

Seams seams_with(const Exercise& exercise, LearnerFunction f) {
  Seams seams;
  exercise.place(seams, f);
  return seams;
}

Check check_pebble(const Exercise& exercise, LearnerFunction f) {
  Check check{.name = "pebble", .state = CheckState::skipped, .title = "this function has no place of its own there"};
  if (exercise.place == nullptr) return check;
  return checked(std::move(check), [&](Check& c) {
    c.state = CheckState::failed;
    c.title = "loading pebble";
    SeamedEngine expected(seams_with(exercise, exercise.reference.call)), theirs(seams_with(exercise, f));
    if (tokens_differ(c, exercise, theirs, expected)) return;
    c.title = "a pass through pebble";
    const std::vector<TokenId> ids = expected.encode(kTracedText);
    if (const auto wrong = first_divergence(theirs, expected, ids)) {
      show_first_wrong(c, *wrong, ids, theirs.model().tokenizer());
      c.causes = likely_causes(*wrong, &exercise, [&](Seams seams, const TracedOps::Listener& listener) {
        SeamedEngine(std::move(seams)).trace(ids, listener);
      });
      return;
    }
    c.state = CheckState::passed;
    c.title = fmt::format("every checkpoint of {} tokens", ids.size());
  });
}

Check check_story(const Exercise& exercise, LearnerFunction f) {
  Check check{.name = "story", .state = CheckState::skipped, .title = ""};
  if (exercise.place == nullptr) return check;
  return checked(std::move(check), [&](Check& c) {
    c.state = CheckState::failed;
    SeamedEngine expected(seams_with(exercise, exercise.reference.call)), theirs(seams_with(exercise, f));
    Story first;  // the shorter prompt's: the one that people know
    for (const std::string_view prompt : kPrompts) {
      const TellOptions tell{.prompt = std::string(prompt), .tokens = 40};
      c.title = fmt::format("pebble goes on with \"{}\"", prompt);
      const Story right = expected.tell(tell), story = theirs.tell(tell);
      if (prompt == kPrompts[0]) first = story;
      if (story.text != right.text || story.ids != right.ids) {
        c.story = c.got = story.text;
        c.reference_story = c.expected = right.text;
        c.causes = causes_in_engine(exercise, [&](SeamedEngine& mistaken) {
          for (const std::string_view before : kPrompts) {  // as in theirs, the cache keeps what was told before
            const Story told = mistaken.tell({.prompt = std::string(before), .tokens = 40});
            if (before == prompt) return told.text == story.text && told.ids == story.ids;
          }
          return false;
        });
        return;
      }
    }
    c.story = c.reference_story = first.text;
    c.state = CheckState::passed;
    c.title = fmt::format("{} tokens, {:.0f} a second", first.ids.size(), first.decode.tokens_per_second());
  });
}

Check check_speed(const Exercise& exercise, LearnerFunction f) {
  if (exercise.race == nullptr) return {.name = "speed", .state = CheckState::skipped, .title = ""};
  const Race race = exercise.race();
  const double theirs = calls_per_second(f, race.arguments);
  const double operations = race.operations > 0 ? race.operations : 1;
  std::string title = fmt::format("yours: {} {} a second", with_unit(theirs * operations),
                                  race.operations > 0 ? "operations" : "calls");
  for (const Rival& rival : race.rivals) {
    const double other = calls_per_second(rival.call, race.arguments);
    title += fmt::format("; {}: {}", rival.title, with_unit(other * operations));
  }
  return {.name = "speed", .state = CheckState::passed, .title = title};
}

}  // namespace rung::learn

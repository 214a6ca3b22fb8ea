#include "learners.h"

#include <algorithm>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "learn/check.h"
#include "learn/in_engine.h"
#include "learn/seams.h"

namespace rung {

namespace {

using learn::LearnerFunction;

LearnerFunction learners = nullptr;  // of the module of the request at hand
void (*alive_now)() = nullptr;
Clock::time_point last_sign;

// Whoever waits hears that it goes on: the learner's function returns, the engine takes a step.
void give_sign() {
  if (seconds_since(last_sign) < 0.5) return;
  last_sign = Clock::now();
  alive_now();
}
void called(RungValue* values) {
  static unsigned calls = 0;
  learners(values);
  if (++calls % 64 == 0) give_sign();
}

const learn::Exercise& exercise_of(const OrderedJson& request) {
  const std::string name = request.at("exercise").get<std::string>();
  const learn::Exercise* const found = learn::find_exercise(name);
  if (found == nullptr) fail("there is no exercise '{}'", name);
  return *found;
}

OrderedJson names() {
  OrderedJson all = OrderedJson::array();
  for (const learn::Exercise& exercise : learn::exercises()) {
    if (!exercise.is_kernel) all.push_back(exercise.name);  // a page has no compiler for these
  }
  return all;
}

// A known mistake of an exercise can play the learner.
LearnerFunction mistake_of(const OrderedJson& request) {
  const learn::Exercise& exercise = exercise_of(request);
  const std::string id = request.at("mistake").get<std::string>();
  for (const learn::KnownMistake& mistake : exercise.mistakes) {
    if (mistake.id == id) return mistake.call;
  }
  fail("{} has no mistake '{}'", exercise.name, id);
}

// Those that can be made in the engine.
OrderedJson exercise_mistakes() {
  OrderedJson all = OrderedJson::array();
  for (const learn::Exercise& exercise : learn::exercises()) {
    if (exercise.place == nullptr || exercise.is_kernel) continue;
    for (const learn::KnownMistake& mistake : exercise.mistakes) {
      all.push_back({{"exercise", exercise.name},
                     {"mistake", mistake.id},
                     {"sentence", mistake.sentence},
                     {"page", mistake.page}});
    }
  }
  return all;
}

OrderedJson check(const OrderedJson& request, const Listeners& listeners) {
  const learn::CheckOptions options{
      .begin = listeners.text, .trying = listeners.trying, .found = [&](const learn::Report& report) {
        listeners.found(to_json(learn::to_json(report)));
      }};
  return learn::to_json(learn::run_checks(exercise_of(request), called, options));
}

// Why no word follows the prompt.
std::string_view why_silent(learn::SeamedEngine& engine, const learn::Story& story) {
  if (!story.ids.empty()) return "no text comes of the tokens that were chosen";
  if (story.prompt.empty()) return "the text has no tokens";
  const std::vector<float> logits = engine.trace(story.prompt, [](auto&&...) {});
  const bool same = std::all_of(logits.begin(), logits.end(), [&](float x) { return x == logits.front(); });
  return same ? "all tokens have the same score, and the first of them is the one that ends a story"
              : "the first token that was chosen is the one that ends a story";
}

// With an exercise and nobody's function, the reference has its place: it does what the learner's should.
OrderedJson story_with(const OrderedJson& request, const Listeners& listeners) {
  learn::Seams seams;
  if (request.contains("exercise")) {
    const learn::Exercise& exercise = exercise_of(request);
    if (exercise.place == nullptr) fail("{} has no place of its own in the engine", exercise.name);
    seams = learn::seams_with(exercise, learners != nullptr ? called : exercise.reference.call);
  }
  std::string shown;
  learn::TellOptions how{.prompt = request.at("text").get<std::string>(),
                         .tokens = request.value("tokens", std::size_t{40})};
  how.text = [&](std::string_view piece) {
    shown += piece;
    listeners.text(piece);
  };
  try {
    learn::SeamedEngine engine(std::move(seams));
    const learn::Story story = engine.tell(how);
    OrderedJson told{{"text", story.text}, {"ids", story.ids}};
    if (story.answer().empty()) told["ended"] = why_silent(engine, story);
    return told;
  } catch (const Error& e) {  // what their code gave cannot be gone on with: weights or logits that are no numbers
    if (learners == nullptr) throw;
    if (shown.empty()) shown = how.prompt;
    return {{"text", shown}, {"ids", OrderedJson::array()}, {"ended", e.what()}};
  }
}

// The check inside the engine alone, also of what fails before that: where pebble goes wrong with it, and why.
OrderedJson debug(const OrderedJson& request) {
  const learn::Exercise& exercise = exercise_of(request);
  if (exercise.place == nullptr) fail("{} has no place of its own in the engine", exercise.name);
  const learn::Report report{.exercise = std::string(exercise.name), .checks = {learn::check_pebble(exercise, called)}};
  return learn::to_json(report);
}

}  // namespace

std::span<std::byte> room_for_learners() {
  alignas(1 << 16) static std::byte room[1 << 20];
  return room;
}

std::optional<OrderedJson> answer_for_learners(std::string_view verb, const OrderedJson& request,
                                               const Listeners& listeners) {
  alive_now = listeners.alive;
  learn::on_step = give_sign;
  last_sign = Clock::now();
  if (verb == "exercises") return names();
  if (verb == "exerciseMistakes") return exercise_mistakes();
  learners = request.contains("mistake") && request.contains("exercise")
                 ? mistake_of(request)
                 : reinterpret_cast<LearnerFunction>(request.value("slot", std::uintptr_t{0}));
  if (verb == "check") return check(request, listeners);
  if (verb == "storyWith") return story_with(request, listeners);
  if (verb == "debug") return debug(request);
  return std::nullopt;
}

}  // namespace rung

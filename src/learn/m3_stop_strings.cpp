// The exercise of milestone M3 about stop strings: what must come out, the classic mistakes, the place in the engine.
#include "learn/m3_stop_strings.h"

#include <algorithm>
#include <utility>

#include "engine/generate.h"
#include "learn/seams.h"

namespace rung::learn {

// ---- m3-stop-strings: text that is not shown yet and a stop string → how much of it may be shown ----
namespace stop_strings {
namespace {

constexpr const char* kStopPage = "m3-generation#stop-strings";

using Text = std::string_view;

std::uint32_t reference(Text held, Text stop) {
  return static_cast<std::uint32_t>(StopMatcher({std::string(stop)}).push(held).size());
}

std::uint32_t bytes(std::size_t count) { return static_cast<std::uint32_t>(count); }
bool is_there(Text held, Text stop) { return held.find(stop) != Text::npos; }

std::uint32_t nothing_held_back(Text held, Text stop) { return bytes(std::min(held.size(), held.find(stop))); }
std::uint32_t shortest_end(Text held, Text stop) {
  if (is_there(held, stop)) return reference(held, stop);
  for (std::size_t n = 1; n < stop.size() && n <= held.size(); ++n) {
    if (held.ends_with(stop.substr(0, n))) return bytes(held.size() - n);
  }
  return bytes(held.size());
}
std::uint32_t stop_shown(Text held, Text stop) {
  return reference(held, stop) + (is_there(held, stop) ? bytes(stop.size()) : 0);
}
std::uint32_t always_held_back(Text held, Text stop) {
  if (is_there(held, stop)) return reference(held, stop);
  return bytes(held.size() - std::min(held.size(), stop.size() - 1));
}
std::uint32_t short_shown(Text held, Text stop) {  // held.size() − stop.size() + 1 is near 2⁶⁴ there
  return held.size() + 1 < stop.size() ? bytes(held.size()) : reference(held, stop);
}
std::uint32_t how_many_wait(Text held, Text stop) { return bytes(held.size()) - reference(held, stop); }
std::uint32_t last_place(Text held, Text stop) {
  return is_there(held, stop) ? bytes(held.rfind(stop)) : reference(held, stop);
}

Case hand_case(std::string held, std::string stop, std::uint32_t certain, std::string arithmetic) {
  return {.title = "\"" + held + "\" with the stop \"" + stop + "\"",
          .arguments = {{"held", held}, {"stop", stop}},
          .expected = {{}, static_cast<double>(certain)},
          .arithmetic = std::move(arithmetic)};
}

std::vector<Case> by_hand() {
  return {hand_case(" dog", " She", 4, "it ends with g, og, dog: none begins \" She\"\nall 4 may be shown"),
          hand_case(" dog. ", " She", 5, "it ends with a space, which begins \" She\"\n6 − 1 = 5"),
          hand_case(" dog. Sh", " She", 5, "it ends with \" Sh\", which begins \" She\"\n8 − 3 = 5"),
          hand_case(" dog. Shy", " She", 9, "it ends with y, hy, Shy: none begins \" She\"\nall 9 may be shown"),
          hand_case(" dog. She", " She", 5, "the stop stands at place 5: what is before it may be shown"),
          hand_case("xaa", "aab", 1, "both a and aa begin \"aab\": the longer end waits\n3 − 2 = 1"),
          hand_case(" S", " She", 0, "all of it begins \" She\", though it is shorter: nothing may be shown yet"),
          hand_case("x!y!", "!", 1, "the stop stands at places 1 and 3: the first counts")};
}

std::vector<Argument> random(Random& random) {
  const auto text = [&](std::size_t least, std::size_t most) {
    std::string letters(whole(random, least, most), ' ');
    for (char& letter : letters) letter = whole(random, 0, 2) == 0 ? 'b' : 'a';
    return letters;
  };
  std::string held = text(0, 12);
  return {{"held", std::move(held)}, {"stop", text(1, 5)}};
}

void place(Seams& seams, LearnerFunction f) {
  if (seams.stops.empty()) seams.stops = {" She"};
  seams.stop = [f](Text held, std::span<const std::string> stops) {
    StopAnswer answer{.certain = held.size(), .stopped = false};
    for (const std::string& stop : stops) {
      if (stop.empty()) continue;
      answer.certain = std::min<std::size_t>(answer.certain, call<std::uint32_t>(f, held, Text(stop)));
      answer.stopped = answer.stopped || is_there(held, stop);
    }
    return answer;
  };
}

}  // namespace

Exercise exercise() {
  return {.name = "m3-stop-strings",
          .reference = learn::reference<reference>(),
          .by_hand = by_hand,
          .random = random,
          .tolerance = 0,
          .mistakes = {{"nothing-held-back",
                        "an end that may become the stop is shown: if it does, it cannot be taken back", kStopPage,
                        function<nothing_held_back>},
                       {"how-many-wait", "that is how many bytes wait: how many may be shown is asked", kStopPage,
                        function<how_many_wait>},
                       {"always-held-back",
                        "the last bytes always wait: only an end that is a beginning of the stop has to", kStopPage,
                        function<always_held_back>},
                       {"short-shown",
                        "a text shorter than the stop is shown at once: held.size() − stop.size() is no small number "
                        "there, but one near 2⁶⁴",
                        kStopPage, function<short_shown>},
                       {"stop-shown", "the stop itself is no part of the answer: show what stands before it", kStopPage,
                        function<stop_shown>},
                       {"shortest-end", "the shortest end that begins the stop waits: it has to be the longest",
                        kStopPage, function<shortest_end>},
                       {"last-place", "of several places where the stop stands, the first counts", kStopPage,
                        function<last_place>}},
          .place = place};
}

}  // namespace stop_strings

}  // namespace rung::learn

// The exercises of milestone M0: what must come out, the classic mistakes, the place in the engine. (What a namespace
// of an exercise holds: m2.cpp.)
#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "learn/exercise.h"
#include "learn/held.h"
#include "learn/m0_words.h"
#include "learn/seams.h"
#include "text/byte_alphabet.h"

namespace rung::learn {

namespace bytes_of_m0 {
namespace {

constexpr const char* kAlphabetPage = "m0-tokenizer#a-byte-alphabet";
constexpr const char* kBackPage = "m0-tokenizer#and-back";

std::vector<std::uint8_t> bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

}  // namespace
}  // namespace bytes_of_m0

// ---- m0-byte-alphabet: a byte → the number of the character that it is written as ----
namespace byte_alphabet {
using namespace bytes_of_m0;
namespace {

std::uint32_t reference(std::uint32_t byte) {
  const std::string spelled = spell_bytes(std::string(1, static_cast<char>(byte)));
  const char* at = spelled.data();
  return decode_utf8(at);
}

bool is_seen(std::uint32_t byte) { return reference(byte) == byte; }

// As it would be if these bytes were the ones that can be seen.
template <class Seen>
std::uint32_t letter(std::uint32_t byte, Seen seen) {
  if (seen(byte)) return byte;
  std::uint32_t hidden_before = 0;
  for (std::uint32_t b = 0; b < byte; ++b) hidden_before += seen(b) ? 0 : 1;
  return 256 + hidden_before;
}
std::uint32_t by_value(std::uint32_t byte) { return is_seen(byte) ? byte : 256 + byte; }
std::uint32_t soft_hyphen(std::uint32_t byte) {
  return letter(byte, [](std::uint32_t b) { return is_seen(b) || b == 173; });
}
std::uint32_t space(std::uint32_t byte) {
  return letter(byte, [](std::uint32_t b) { return is_seen(b) || b == 32; });
}
std::uint32_t delete_key(std::uint32_t byte) {
  return letter(byte, [](std::uint32_t b) { return is_seen(b) || b == 127; });
}
std::uint32_t only_ascii(std::uint32_t byte) {
  return letter(byte, [](std::uint32_t b) { return is_seen(b) && b < 127; });
}
std::uint32_t all_hidden(std::uint32_t byte) { return 256 + byte; }

Case hand_case(std::string title, std::uint32_t byte, std::uint32_t letter, std::string arithmetic) {
  return {.title = std::move(title),
          .arguments = {{"byte", static_cast<double>(byte)}},
          .expected = {{}, static_cast<double>(letter)},
          .arithmetic = std::move(arithmetic)};
}

std::vector<Case> by_hand() {
  return {hand_case("the letter e", 101, 101, "101 is between 33 and 126: it can be seen, and stands for itself"),
          hand_case("the space", 32, 288,
                    "32 cannot be seen\nbefore it come 0 … 31, and none of them can be seen: 32 bytes\n256 + 32 = 288"),
          hand_case("the end of a line", 10, 266, "before 10 come 0 … 9: 10 bytes\n256 + 10 = 266"),
          hand_case("byte 127", 127, 289,
                    "before 127, these cannot be seen: 0 … 32, 33 bytes\n256 + 33 = 289 (33 … 126 take no place)"),
          hand_case("byte 128", 128, 290, "one further than 127: 0 … 32 and 127 come before it\n256 + 34 = 290"),
          hand_case("byte 195, the first of an é", 195, 195, "195 is between 174 and 255: it stands for itself"),
          hand_case("byte 173, a hyphen that is not shown", 173, 323,
                    "0 … 32 and 127 … 160 come before it: 33 + 34 = 67 bytes\n256 + 67 = 323")};
}

std::vector<Argument> random(Random& random) { return {{"byte", static_cast<double>(whole(random, 0, 255))}}; }

// The file's spelling is Rung's; what reads and writes it is the learner's. A prompt is spelled by their letters and
// looked up in the file; of an answer's tokens the file has the spelling, and their letters say which bytes that is.
void place(Seams& seams, LearnerFunction f) {
  seams.encode = [f](const LoadedModel& model, std::string_view text) {
    std::string found;
    for (const std::uint8_t byte : bytes_of(text)) {
      const auto letter = call<std::uint32_t>(f, std::uint32_t{byte});
      std::string spelled;
      if (letter < 0x800) append_utf8(spelled, letter);
      append_unspelled(found, spelled);  // a letter that the file does not have is no token's
    }
    return encoded(model, found);
  };
  seams.decode = [f](std::string& held, std::string_view piece) {
    for (const std::uint8_t in_file : bytes_of(piece)) {
      std::uint32_t byte = 0;
      while (byte < 256 && call<std::uint32_t>(f, byte) != reference(in_file)) ++byte;
      held += byte < 256 ? static_cast<char>(byte) : '?';
    }
    return take_whole(held);
  };
}

Exercise exercise() {
  return {.name = "m0-byte-alphabet",
          .reference = learn::reference<reference>(),
          .by_hand = by_hand,
          .random = random,
          .tolerance = 0,
          .mistakes = {{"all-hidden", "a byte that can be seen stands for itself: 101 stays 101", kAlphabetPage,
                        function<all_hidden>},
                       {"stand-in-by-value",
                        "the byte itself is added to 256: count how many before it cannot be seen, and add that",
                        kAlphabetPage, function<by_value>},
                       {"space-seen", "the space (32) is taken for a byte that can be seen: they begin at 33",
                        kAlphabetPage, function<space>},
                       {"delete-seen", "byte 127 is taken for one that can be seen: those of ASCII end at 126",
                        kAlphabetPage, function<delete_key>},
                       {"soft-hyphen-seen", "byte 173 cannot be seen: 161 … 172 and 174 … 255 can", kAlphabetPage,
                        function<soft_hyphen>},
                       {"only-ascii-seen", "bytes above 126 can be seen, too: 161 … 172 and 174 … 255", kAlphabetPage,
                        function<only_ascii>}},
          .place = place};
}

}  // namespace
}  // namespace byte_alphabet

// ---- m0-streaming-decode: bytes that may end within a character → how many may be shown ----
namespace streaming_decode {
using namespace bytes_of_m0;
namespace {

using Bytes = std::span<const std::uint8_t>;

std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

std::uint32_t reference(Bytes bytes) { return static_cast<std::uint32_t>(whole_bytes(text_of(bytes))); }
std::uint32_t half_shown(Bytes bytes) { return static_cast<std::uint32_t>(bytes.size()); }
std::uint32_t waits_for_ascii(Bytes bytes) {
  std::size_t end = bytes.size();
  while (end > 0 && bytes[end - 1] >= 0x80) --end;
  return static_cast<std::uint32_t>(end);
}
std::uint32_t last_character_held(Bytes bytes) {
  std::size_t end = bytes.size();
  if (end == 0 || bytes[end - 1] < 0x80) return static_cast<std::uint32_t>(end);
  while (end > 0 && bytes[end - 1] >= 0x80 && bytes[end - 1] < 0xc0) --end;
  return static_cast<std::uint32_t>(end > 0 ? end - 1 : 0);
}
std::uint32_t four_bytes_forgotten(Bytes bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::size_t length = bytes[at] >= 0xe0 ? 3 : bytes[at] >= 0xc0 ? 2 : 1;
    if (at + length > bytes.size()) break;
    at += length;
  }
  return static_cast<std::uint32_t>(at);
}

Case hand_case(std::string title, std::vector<std::uint8_t> bytes, std::uint32_t whole, std::string arithmetic) {
  return {.title = std::move(title),
          .arguments = {{"bytes", std::move(bytes)}},
          .expected = {{}, static_cast<double>(whole)},
          .arithmetic = std::move(arithmetic)};
}

std::vector<Case> by_hand() {
  return {
      hand_case("Hi and half a fox", {0x48, 0x69, 0xf0, 0x9f}, 2,
                "48 and 69 are characters of one byte\nf0 begins one of four bytes, but only f0 9f are there\n2 may "
                "be shown"),
      hand_case("é and a whole fox", {0xc3, 0xa9, 0xf0, 0x9f, 0xa6, 0x8a}, 6,
                "c3 begins two bytes: c3 a9\nf0 begins four: f0 9f a6 8a\nnothing is missing: 6"),
      hand_case("three quarters of a fox", {0xf0, 0x9f, 0xa6}, 0, "f0 begins four bytes, and three are there: 0"),
      hand_case("the first byte of an é", {0x61, 0xc3}, 1, "61 is whole\nc3 begins two bytes, and one is there: 1"),
      hand_case("two bytes of three", {0xe2, 0x80}, 0, "e2 begins three bytes, and two are there: 0"),
      hand_case("nothing", {}, 0, "no bytes, nothing to show")};
}

std::vector<Argument> random(Random& random) {
  constexpr std::string_view kCharacters[] = {"a", " ", "é", "ß", "…", "中", "🦊", "🏮"};
  std::string text;
  for (std::size_t n = whole(random, 0, 6); n > 0; --n)
    text += kCharacters[whole(random, 0, std::size(kCharacters) - 1)];
  text.resize(whole(random, 0, text.size()));
  return {{"bytes", bytes_of(text)}};
}

void place(Seams& seams, LearnerFunction f) {
  seams.decode = [f](std::string& held, std::string_view piece) {
    held += piece;
    const auto whole = std::min<std::size_t>(call<std::uint32_t>(f, bytes_of(held)), held.size());
    std::string text = to_valid_utf8(std::string_view(held).substr(0, whole));
    held.erase(0, whole);
    return text;
  };
}

Exercise exercise() {
  return {
      .name = "m0-streaming-decode",
      .reference = learn::reference<reference>(),
      .by_hand = by_hand,
      .random = random,
      .tolerance = 0,
      .mistakes = {{"half-shown", "the end of the bytes is shown, though a character is not whole there", kBackPage,
                    function<half_shown>},
                   {"waits-for-ascii",
                    "every byte from 80 on is held back: a whole character of several bytes may be shown", kBackPage,
                    function<waits_for_ascii>},
                   {"last-character-held",
                    "the last character is held back, though it is whole: compare how many bytes it wants with how "
                    "many it has",
                    kBackPage, function<last_character_held>},
                   {"four-bytes-forgotten", "f0 … f7 begin four bytes, not three (c0 … df begin two, e0 … ef three)",
                    kBackPage, function<four_bytes_forgotten>}},
      .place = place};
}

}  // namespace
}  // namespace streaming_decode

std::vector<Exercise> m0_exercises() {
  return {byte_alphabet::exercise(), cut_words::exercise(), merge_loop::exercise(), streaming_decode::exercise()};
}

}  // namespace rung::learn

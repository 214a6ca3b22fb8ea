// The exercises of milestone M1 about a GGUF file: what must come out, the classic mistakes, the place in the engine.
#include <map>
#include <utility>

#include "base/error.h"
#include "files/gguf_part.h"
#include "learn/held.h"
#include "learn/m0_words.h"
#include "learn/m1_parts.h"
#include "learn/seams.h"

namespace rung::learn {

namespace files_of_m1 {
namespace {

constexpr const char* kGgufPage = "learnings/two-files";

// What some cases have in memory behind the end of the bytes: another's string.
const std::string kNotYours = "secret";

std::string string_bytes(std::string_view text) { return number_bytes(text.size(), 8) + std::string(text); }

// What `text` makes of the one value of metadata in a GGUF file that ends with these bytes; empty: they are not whole.
template <class Text>
std::string text_in_gguf(std::uint32_t type, Bytes value, Text text) {
  std::string file = "GGUF" + number_bytes(3, 4) + number_bytes(0, 8) + number_bytes(1, 8) + string_bytes("it");
  file += number_bytes(type, 4) + std::string(text_of(value));
  try {
    return text(parse_gguf(std::as_bytes(std::span<const char>(file)), "a GGUF file").metadata.at("it"));
  } catch (const Error&) {
    return "";
  }
}

}  // namespace
}  // namespace files_of_m1

// ---- m1-gguf-string: bytes that begin with a string → its letters ----
namespace gguf_string {
using namespace files_of_m1;
namespace {

std::string reference(Bytes bytes) {
  return text_in_gguf(8, bytes, [](const GgufValue& value) {
    return std::string(std::get<std::string_view>(std::get<GgufScalar>(value)));
  });
}

std::string letters(Bytes bytes, std::size_t from, std::uint64_t length) {
  if (bytes.size() < from || length > bytes.size() - from) return "";
  return std::string(text_of(bytes.subspan(from, static_cast<std::size_t>(length))));
}
std::string length_of_four_bytes(Bytes bytes) {
  return bytes.size() < 4 ? "" : letters(bytes, 4, number_in(bytes.first(4)));
}
// Of the length's eight bytes only the first few are read.
template <std::size_t few>
std::string length_in_part(Bytes bytes) {
  return bytes.size() < 8 ? "" : letters(bytes, 8, number_in(bytes.first(few)));
}
std::string not_widened(Bytes bytes) {
  return bytes.size() < 8 ? "" : letters(bytes, 8, number_of_ints(bytes.first(8)));
}
std::string highest_byte_first(Bytes bytes) {
  if (bytes.size() < 8) return "";
  std::vector<std::uint8_t> turned(bytes.rend() - 8, bytes.rend());
  return letters(bytes, 8, number_in(turned));
}
std::string until_a_zero(Bytes bytes) {
  if (bytes.size() < 8) return "";
  const std::string_view rest = text_of(bytes.subspan(8));
  return std::string(rest.substr(0, rest.find('\0')));
}
std::string length_kept(Bytes bytes) {
  const std::string text = reference(bytes);
  return text.empty() ? "" : std::string(text_of(bytes.first(8 + text.size())));
}
std::string sum_wraps(Bytes bytes) {
  if (bytes.size() < 8) return "";
  const std::uint64_t length = number_in(bytes.first(8));
  return 8 + length > bytes.size() ? ""
                                   : std::string(text_of(bytes.subspan(8)).substr(0, static_cast<std::size_t>(length)));
}
std::string nothing(Bytes) { return ""; }  // what a compiler makes of a shift that is undefined, often
std::string size_not_checked(Bytes bytes) { return bytes.size() < 8 ? kNotYours : reference(bytes); }
std::string what_is_there(Bytes bytes) {
  if (bytes.size() < 8) return "";
  return std::string(text_of(bytes.subspan(8)).substr(0, static_cast<std::size_t>(number_in(bytes.first(8)))));
}

Case hand_case(std::string title, std::string_view bytes, std::string expected, std::string arithmetic,
               std::string_view behind = "") {
  return {.title = std::move(title),
          .arguments = {{.name = "bytes", .content = bytes_in(bytes), .behind = bytes_in(behind)}},
          .expected = {{}, std::move(expected)},
          .arithmetic = std::move(arithmetic)};
}

std::vector<Case> by_hand() {
  const std::string after = number_bytes(8, 4);
  return {
      hand_case("qwen3, and what comes next", string_bytes("qwen3") + after, "qwen3",
                "05 and seven zeros: the length is 5\n71 77 65 6e 33: q w e n 3\n08 00 00 00: not ours"),
      hand_case("no letters", number_bytes(0, 8) + after, "", "the length is 0: nothing"),
      hand_case("a zero inside", number_bytes(3, 8) + std::string("a\0b", 3) + "c", std::string("a\0b", 3),
                "the length is 3: a, a zero, b\na string does not end at a zero"),
      hand_case("20 letters of which 2 are there", number_bytes(20, 8) + "qw", "", "20 > 2: not all there, so nothing"),
      hand_case("the largest length that there is", number_bytes(~std::uint64_t{0}, 8) + "qw", "",
                "2⁶⁴ − 1 > 2: not all there\n(8 + (2⁶⁴ − 1) is 7 in 64 bits: that sum says nothing)"),
      hand_case("a length whose sixth byte is not 0", number_bytes((std::uint64_t{1} << 40) + 5, 8) + "qwen3", "",
                "05 00 00 00 00 01 00 00: the length is 5 + 256⁵, and five letters are there: nothing"),
      hand_case("a length whose fifth byte is not 0", number_bytes((std::uint64_t{2} << 32) + 3, 8) + "qwen3", "",
                "03 00 00 00 02 00 00 00: the length is 3 + 2 · 256⁴, and five letters are there: nothing"),
      hand_case("a length whose last byte is not 0", number_bytes(std::uint64_t{5} << 56, 8) + "qwen3", "",
                "00 00 00 00 00 00 00 05: the length is 5 · 256⁷, and five letters are there: nothing"),
      hand_case("seven bytes", number_bytes(kNotYours.size(), 7), "", "the length alone takes eight: nothing",
                '\0' + kNotYours)};
}

std::vector<Argument> random(Random& random) {
  const std::size_t most = whole(random, 0, 2) == 0 ? 700 : 20;
  std::string bytes = string_bytes(random_word(random, most)) + random_word(random, 6);
  if (whole(random, 0, 5) == 0) bytes.resize(whole(random, 0, bytes.size()));
  return {{"bytes", bytes_in(bytes)}};
}

// A token's bytes, as a GGUF file would have them, pass through the learner's function before they are shown.
void place(Seams& seams, LearnerFunction f) {
  seams.decode = [f](std::string& held, std::string_view piece) {
    const std::string in_file = string_bytes(piece) + string_bytes("next");
    held += call<std::string>(f, Bytes(bytes_in(in_file)));
    return take_whole(held);
  };
}

}  // namespace

Exercise exercise() {
  return {
      .name = "m1-gguf-string",
      .reference = learn::reference<reference>(),
      .by_hand = by_hand,
      .random = random,
      .tolerance = 0,
      .mistakes =
          {{"highest-byte-first",
            "the length is read with its highest byte first, and is far too long: byte i counts 256 to the "
            "power of i",
            kGgufPage, function<highest_byte_first>},
           {"length-of-four-bytes", "the length has eight bytes, not four", kGgufPage, function<length_of_four_bytes>},
           {"length-of-one-byte", "of the length only the first byte is read: it has eight", kGgufPage,
            function<length_in_part<1>>},
           {"length-in-part", "of the length not all eight bytes are read", kGgufPage, function<length_in_part<4>>},
           {"byte-not-widened", kWiden, kGgufPage, function<nothing>},
           {"byte-not-widened", kWiden, kGgufPage, function<not_widened>},
           {"length-kept", "the length's own bytes are no letters: begin behind them", kGgufPage,
            function<length_kept>},
           {"until-a-zero", "no zero ends a string of GGUF: its length says where it ends", kGgufPage,
            function<until_a_zero>},
           {"sum-wraps", "8 + length does not fit into 64 bits and becomes small: compare length with what is left",
            kHonestPage, function<sum_wraps>},
           {"size-not-checked",
            "are there eight bytes at all? Without a look at that, what lies behind the end is read, and size() − 8 is "
            "no small number, but one near 2⁶⁴",
            kHonestPage, function<size_not_checked>},
           {"what-is-there", "a string that is not whole is cut short: it should be refused, as empty", kHonestPage,
            function<what_is_there>}},
      .place = place};
}

}  // namespace gguf_string

// ---- m1-gguf-array: an array of strings, and which one ----
namespace gguf_array {
using namespace files_of_m1;
namespace {

std::string reference(Bytes bytes, std::uint32_t index) {
  return text_in_gguf(9, bytes, [index](const GgufValue& value) {
    const auto* const strings = std::get_if<std::vector<std::string_view>>(&std::get<GgufArray>(value).values);
    return strings != nullptr && index < strings->size() ? std::string((*strings)[index]) : std::string();
  });
}

// Walks from byte `at` on; `head` is what a string's length itself takes of the step to the next one.
std::string walked(Bytes bytes, std::size_t at, std::uint32_t index, std::size_t head) {
  for (std::uint32_t i = 0; at <= bytes.size() && bytes.size() - at >= 8; ++i) {
    const std::uint64_t length = number_in(bytes.subspan(at, 8));
    if (length > bytes.size() - at - 8) return "";
    const auto size = static_cast<std::size_t>(length);
    if (i == index) return std::string(text_of(bytes.subspan(at + 8, size)));
    at += head + size;
  }
  return "";
}
bool has_element(Bytes bytes, std::uint32_t index) {
  return bytes.size() >= 12 && number_in(bytes.first(4)) == 8 && index < number_in(bytes.subspan(4, 8));
}
std::string length_not_skipped(Bytes bytes, std::uint32_t index) {
  return has_element(bytes, index) ? walked(bytes, 12, index, 0) : "";
}
std::string count_of_four_bytes(Bytes bytes, std::uint32_t index) {
  return has_element(bytes, index) ? walked(bytes, 8, index, 8) : "";
}
std::string one_too_far(Bytes bytes, std::uint32_t index) {
  return has_element(bytes, index) ? walked(bytes, 12, index + 1, 8) : "";
}
std::string one_too_near(Bytes bytes, std::uint32_t index) {
  return has_element(bytes, index) ? walked(bytes, 12, index == 0 ? 0 : index - 1, 8) : "";
}
std::string equal_lengths(Bytes bytes, std::uint32_t index) {
  if (!has_element(bytes, index) || bytes.size() < 20) return "";
  const std::uint64_t length = number_in(bytes.subspan(12, 8));
  if (length > bytes.size()) return "";
  const std::size_t at = 12 + index * (8 + static_cast<std::size_t>(length)) + 8;
  return at > bytes.size() || length > bytes.size() - at
             ? ""
             : std::string(text_of(bytes.subspan(at, static_cast<std::size_t>(length))));
}
std::string type_ignored(Bytes bytes, std::uint32_t index) {
  return bytes.size() >= 12 && index < number_in(bytes.subspan(4, 8)) ? walked(bytes, 12, index, 8) : "";
}
constexpr std::size_t kTooLong = 20;

// The elements before are stepped over as their lengths say, without a look at what is left.
std::string not_bounded(Bytes bytes, std::uint32_t index) {
  if (!has_element(bytes, index)) return "";
  std::uint64_t at = 12;
  for (std::uint32_t i = 0;; ++i) {
    if (at > bytes.size() || bytes.size() - at < 8) return kNotYours;
    const auto begin = static_cast<std::size_t>(at);
    const std::uint64_t length = number_in(bytes.subspan(begin, 8));
    if (i == index) return gguf_string::letters(bytes, begin + 8, length);
    at += 8 + length;
  }
}
// Of each length's bytes some are lost: `number` makes one of them.
template <std::uint64_t (*number)(Bytes)>
std::string lengths_by(Bytes bytes, std::uint32_t index) {
  if (!has_element(bytes, index)) return "";
  std::size_t at = 12;
  for (std::uint32_t i = 0; at <= bytes.size() && bytes.size() - at >= 8; ++i) {
    const std::uint64_t length = number(bytes.subspan(at, 8));
    if (i == index || length > bytes.size() - at - 8) return gguf_string::letters(bytes, at + 8, length);
    at += 8 + static_cast<std::size_t>(length);
  }
  return "";
}
std::string nothing(Bytes, std::uint32_t) { return ""; }
std::string size_not_checked(Bytes bytes, std::uint32_t index) {
  return bytes.size() < 12 ? kNotYours : reference(bytes, index);
}
std::uint64_t four_of(Bytes eight) { return number_in(eight.first(4)); }

std::string sum_wraps(Bytes bytes, std::uint32_t index) {
  if (!has_element(bytes, index)) return "";
  std::uint64_t at = 12;
  for (std::uint32_t i = 0; at + 8 <= bytes.size(); ++i) {
    const auto begin = static_cast<std::size_t>(at);
    const std::uint64_t length = number_in(bytes.subspan(begin, 8));
    if (at + 8 + length > bytes.size()) return "";
    if (i == index) return std::string(text_of(bytes).substr(begin + 8, static_cast<std::size_t>(length)));
    at += 8 + length;
  }
  return "";
}
std::string count_ignored(Bytes bytes, std::uint32_t index) {
  return bytes.size() >= 12 && number_in(bytes.first(4)) == 8 ? walked(bytes, 12, index, 8) : "";
}

std::string array_bytes(const std::vector<std::string>& strings, std::uint32_t type = 8) {
  std::string bytes = number_bytes(type, 4) + number_bytes(strings.size(), 8);
  for (const std::string& text : strings) bytes += string_bytes(text);
  return bytes;
}

std::vector<Argument> arguments(std::string_view bytes, std::size_t index) {
  return {{"bytes", bytes_in(bytes)}, {"index", static_cast<double>(index)}};
}

// An array's beginning.
std::string array_of(std::uint64_t count) { return number_bytes(8, 4) + number_bytes(count, 8); }
std::vector<Argument> before_others(std::string_view bytes, std::size_t index, std::string_view behind) {
  std::vector<Argument> all = arguments(bytes, index);
  all[0].behind = bytes_in(behind);
  return all;
}
// The second of two elements, of which the first has this length and two letters; there the bytes end.
std::vector<Argument> before_yours(std::uint64_t length) {
  const std::string bytes = array_of(2) + number_bytes(length, 8) + "qw";
  return before_others(bytes, 1, std::string(12 + 8 + kTooLong - bytes.size(), '\0') + string_bytes(kNotYours));
}

std::vector<Case> by_hand() {
  const std::string three = array_bytes({"a", "bc", "def"});
  return {
      {.title = "the first of three",
       .arguments = arguments(three, 0),
       .expected = {{}, std::string("a")},
       .arithmetic =
           "08 00 00 00: strings\n03 and seven zeros: three of them\nat byte 12: 01 and seven zeros, then 61, an a"},
      {.title = "the second of three",
       .arguments = arguments(three, 1),
       .expected = {{}, std::string("bc")},
       .arithmetic =
           "element 0 takes 8 + 1 bytes: element 1 begins at 12 + 9 = 21\nthere: 2 and seven zeros, then b c"},
      {.title = "the third of three",
       .arguments = arguments(three, 2),
       .expected = {{}, std::string("def")},
       .arithmetic = "element 1 takes 8 + 2 bytes: element 2 begins at 21 + 10 = 31\nthere: 3 and seven zeros, then d "
                     "e f"},
      {.title = "a fourth of three, and bytes that look like one",
       .arguments = arguments(three + string_bytes("no"), 3),
       .expected = {{}, std::string()},
       .arithmetic = "the count is 3, so the last one is element 2: nothing"},
      {.title = "the largest length that there is",
       .arguments = arguments(array_of(1) + number_bytes(~std::uint64_t{0}, 8) + "qw", 0),
       .expected = {{}, std::string()},
       .arithmetic =
           "at byte 12: a length of 2⁶⁴ − 1, and two bytes are left: nothing\n(12 + 8 + (2⁶⁴ − 1) is 19 in 64 "
           "bits: that sum says nothing)"},
      {.title = "a length before yours that is too long",
       .arguments = before_yours(kTooLong),
       .expected = {{}, std::string()},
       .arithmetic =
           "element 0 has a length of 20, and two bytes are left: so there is no element 1\n(it would begin at "
           "12 + 8 + 20 = 40: behind the end, where other things lie)"},
      {.title = "a length before yours that leads back",
       .arguments = before_yours(~std::uint64_t{0} - 15),
       .expected = {{}, std::string()},
       .arithmetic = "element 0 has a length of 2⁶⁴ − 16, and two bytes are left: so there is no element 1\n(12 + 8 + "
                     "2⁶⁴ − 16 is 4 in 64 bits: the walk would go back)"},
      {.title = "a length whose fifth byte is not 0",
       .arguments = arguments(array_of(1) + number_bytes((std::uint64_t{1} << 32) + 1, 8) + "qw", 0),
       .expected = {{}, std::string()},
       .arithmetic = "at byte 12: 01 00 00 00 01 00 00 00, a length of 1 + 256⁴, and two bytes are left: nothing"},
      {.title = "the largest count that there is",
       .arguments = before_others(array_of(~std::uint64_t{0}) + string_bytes("a"), 1, string_bytes(kNotYours)),
       .expected = {{}, std::string()},
       .arithmetic = "1 < 2⁶⁴ − 1, but behind the one string the bytes end: nothing"},
      {.title = "an empty string, and a count that is forged",
       .arguments = arguments(array_of((std::uint64_t{1} << 32) + 1) + string_bytes(""), 0),
       .expected = {{}, std::string()},
       .arithmetic = "0 < 1 + 256⁴\nat byte 12: a length of 0, so no letters"},
      {.title = "eleven bytes",
       .arguments = before_others(array_of(1).substr(0, 11), 0, '\0' + string_bytes(kNotYours)),
       .expected = {{}, std::string()},
       .arithmetic = "type and count alone take twelve: nothing"},
      {.title = "an array of other things",
       .arguments = arguments(array_bytes({"a"}, 264), 0),
       .expected = {{}, std::string()},
       .arithmetic = "08 01 00 00: the type is 8 + 256 = 264, not 8: no strings, so nothing"}};
}

std::vector<Argument> random(Random& random) {
  std::vector<std::string> strings(whole(random, 1, 8));
  for (std::string& text : strings) text = random_word(random, 9);
  std::string bytes = array_bytes(strings);
  std::size_t index = whole(random, 0, strings.size() - 1);
  if (whole(random, 0, 5) == 0) {  // the last one is not whole
    index = strings.size() - 1;
    bytes.resize(bytes.size() - whole(random, 1, strings.back().size() + 8));
  }
  return arguments(bytes, index);
}

// A prompt's ids are Rung's; the learner finds the text of each in the vocabulary, laid out as a GGUF file has it, and
// what they find is what is read.
struct VocabularyArray {
  std::string bytes;
  std::map<std::string, TokenId> ids;

  explicit VocabularyArray(const Tokenizer& tokenizer) {
    std::vector<std::string> pieces;
    for (std::size_t id = 0; id < tokenizer.vocab_size(); ++id) {
      pieces.push_back(tokenizer.piece(static_cast<TokenId>(id)));
      ids.emplace(pieces.back(), static_cast<TokenId>(id));
    }
    bytes = array_bytes(pieces);
  }
};

void place(Seams& seams, LearnerFunction f) {
  seams.encode = [f](const LoadedModel& model, std::string_view text) {
    const VocabularyArray vocabulary(model.tokenizer());
    const std::vector<std::uint8_t> bytes = bytes_in(vocabulary.bytes);
    std::vector<TokenId> ids;
    for (const TokenId id : encoded(model, text)) {
      const std::string piece = call<std::string>(f, bytes, id);
      const auto found = vocabulary.ids.find(piece);
      if (piece == model.tokenizer().piece(id)) {
        ids.push_back(id);
      } else if (found != vocabulary.ids.end()) {
        ids.push_back(found->second);
      }
    }
    return ids;
  };
}

}  // namespace

Exercise exercise() {
  return {
      .name = "m1-gguf-array",
      .reference = learn::reference<reference>(),
      .by_hand = by_hand,
      .random = random,
      .tolerance = 0,
      .mistakes =
          {{"count-of-four-bytes", "the count has eight bytes: the elements begin at byte 4 + 8 = 12, not at 8",
            kGgufPage, function<count_of_four_bytes>},
           {"one-too-far", "it is the element behind: only those before yours are stepped over", kGgufPage,
            function<one_too_far>},
           {"one-too-near", "it is the element before: they are counted from 0", kGgufPage, function<one_too_near>},
           {"length-not-skipped", "a string takes 8 bytes for its length, too: step over 8 + length", kGgufPage,
            function<length_not_skipped>},
           {"equal-lengths", "all elements are taken to be as long as the first: read the length of each, and walk",
            kGgufPage, function<equal_lengths>},
           {"sum-wraps",
            "a sum with the length does not fit into 64 bits and becomes small: compare length with what is left",
            kHonestPage, function<sum_wraps>},
           {"walk-not-bounded",
            "the length of an element before yours is believed: compare each with what is left, before you "
            "step over it",
            kHonestPage, function<not_bounded>},
           {"byte-not-widened", kWiden, kGgufPage, function<nothing>},
           {"byte-not-widened", kWiden, kGgufPage, function<lengths_by<number_of_ints>>},
           {"length-in-part", "of a length not all eight bytes are read", kGgufPage, function<lengths_by<four_of>>},
           {"size-not-checked",
            "are there twelve bytes at all? Without a look at that, what lies behind the end is read, and size() − 12 "
            "is no small number, but one near 2⁶⁴",
            kHonestPage, function<size_not_checked>},
           {"count-ignored", "the index is not below the count: there is no such element", kHonestPage,
            function<count_ignored>},
           {"type-ignored", "the element type is not 8: these are no strings", kHonestPage, function<type_ignored>}},
      .place = place};
}

}  // namespace gguf_array

}  // namespace rung::learn

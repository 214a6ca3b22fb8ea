// The exercises of milestone M0 about words and what they fall into: what must come out, the classic mistakes, the
// place in the engine.
#include "learn/m0_words.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "base/utf8.h"
#include "learn/seams.h"
#include "text/bpe.h"
#include "text/byte_alphabet.h"
#include "text/regex.h"

namespace rung::learn {

std::vector<TokenId> encoded(const LoadedModel& model, std::string_view text) {
  return model.tokenizer().encode(to_valid_utf8(text), {.add_special = false});
}

namespace {

constexpr const char* kWordsPage = "m0-tokenizer#before-and-after-the-merges";
constexpr const char* kMergesPage = "m0-tokenizer#the-merges-one-at-a-time";

}  // namespace

// ---- m0-cut-words: a text → where each of its words ends ----
namespace cut_words {
namespace {

using Ends = std::vector<std::uint32_t>;

Ends ends_of(const Regex& pattern, std::string_view text) {
  Ends ends;
  Regex::Scratch scratch;
  Regex::Search search(pattern, text, scratch);
  while (const auto match = search.next()) ends.push_back(static_cast<std::uint32_t>(match->end));
  return ends;
}

Ends reference(std::string_view text) {
  static const Regex pattern(" ?[A-Za-z]+|[0-9]| ?[^ A-Za-z0-9]+| ", "cut_words");
  return ends_of(pattern, text);
}
Ends digits_together(std::string_view text) {
  static const Regex pattern(" ?[A-Za-z]+|[0-9]+| ?[^ A-Za-z0-9]+| ", "cut_words");
  return ends_of(pattern, text);
}
Ends space_with_word_before(std::string_view text) {
  static const Regex pattern("[A-Za-z]+ ?|[0-9]|[^ A-Za-z0-9]+ ?| ", "cut_words");
  return ends_of(pattern, text);
}
Ends space_alone(std::string_view text) {
  static const Regex pattern("[A-Za-z]+|[0-9]|[^ A-Za-z0-9]+| ", "cut_words");
  return ends_of(pattern, text);
}
Ends space_with_digit(std::string_view text) {
  static const Regex pattern(" ?[A-Za-z]+| ?[0-9]| ?[^ A-Za-z0-9]+| ", "cut_words");
  return ends_of(pattern, text);
}
Ends signs_with_letters(std::string_view text) {
  static const Regex pattern(" ?[^ 0-9]+|[0-9]| ", "cut_words");
  return ends_of(pattern, text);
}
Ends bytes_alone(std::string_view text) {  // those that no list of signs has
  Ends ends;
  std::size_t begin = 0;
  for (const std::uint32_t end : reference(text)) {
    for (; begin < end; ++begin) {
      const bool here = static_cast<unsigned char>(text[begin]) >= 0x80;
      const bool next = begin + 1 < end && static_cast<unsigned char>(text[begin + 1]) >= 0x80;
      if (here || next || begin + 1 == end) ends.push_back(static_cast<std::uint32_t>(begin + 1));
    }
  }
  return ends;
}
Ends last_word_lost(std::string_view text) {
  Ends ends = reference(text);
  if (!ends.empty()) ends.pop_back();
  return ends;
}
Ends beginnings(std::string_view text) {
  Ends ends = last_word_lost(text);
  if (!text.empty()) ends.insert(ends.begin(), 0);
  return ends;
}
Ends last_places(std::string_view text) {
  Ends ends = reference(text);
  for (std::uint32_t& end : ends) --end;
  return ends;
}

Case hand_case(std::string title, std::string text, Ends ends, std::string arithmetic) {
  return {.title = std::move(title),
          .arguments = {{"text", std::move(text)}},
          .expected = {{}, std::move(ends)},
          .arithmetic = std::move(arithmetic)};
}

std::vector<Case> by_hand() {
  return {
      hand_case("two words", "a fox", {1, 5}, "a| fox: the space goes with the word behind it\nends: 1, 1 + 4 = 5"),
      hand_case("words, digits and a full stop", "The fox has 12 coins.", {3, 7, 11, 12, 13, 14, 20, 21},
                "The| fox| has| |1|2| coins|.\n3, +4, +4, +1, +1, +1, +6, +1"),
      hand_case("two spaces", "a  b", {1, 2, 4}, "a| | b: the first space has no letter behind it, and stands alone"),
      hand_case("signs in a row", "No!? 7", {2, 4, 5, 6}, "No|!?| |7: signs in a row stay together"),
      hand_case("a line break", "Hi.\nYou", {2, 4, 7},
                "Hi|.(line break)|You: a line break is neither letter nor digit nor space, so rule 3 takes it with the "
                "full stop"),
      hand_case("an é", "née", {1, 3, 4}, "n|é|e: é is two bytes, and neither is a letter from a to z: rule 3"),
      hand_case("nothing", "", {}, "no characters, no words")};
}

std::vector<Argument> random(Random& random) {
  constexpr std::string_view kParts[] = {"a", "the", "Fox", " ",  " ",  " lantern", "  ",
                                         "7", "12",  ".",   "!?", "\"", ","};
  std::string text;
  for (std::size_t n = whole(random, 0, 12); n > 0; --n) text += kParts[whole(random, 0, std::size(kParts) - 1)];
  return {{"text", std::move(text)}};
}

void place(Seams& seams, LearnerFunction f) {
  seams.encode = [f](const LoadedModel& model, std::string_view text) {
    std::vector<TokenId> ids;
    std::size_t begin = 0;
    for (const std::uint32_t end : call<Ends>(f, text)) {
      if (end <= begin || end > text.size()) continue;
      const std::vector<TokenId> word = encoded(model, text.substr(begin, end - begin));
      ids.insert(ids.end(), word.begin(), word.end());
      begin = end;
    }
    return ids;
  };
}

}  // namespace

Exercise exercise() {
  return {
      .name = "m0-cut-words",
      .reference = learn::reference<reference>(),
      .by_hand = by_hand,
      .random = random,
      .tolerance = 0,
      .mistakes = {{"space-with-word-before", "the space goes with the word before it: it belongs to the one behind",
                    kWordsPage, function<space_with_word_before>},
                   {"space-alone", "each space stands alone: one before letters or signs belongs to their word",
                    kWordsPage, function<space_alone>},
                   {"bytes-alone",
                    "no list of signs has them all: whatever is neither letter nor digit nor space falls under rule 3",
                    kWordsPage, function<bytes_alone>},
                   {"last-word-lost", "the last word is missing: it ends where the text ends", kWordsPage,
                    function<last_word_lost>},
                   {"beginnings", "these are the places where the words begin: where each ends is asked", kWordsPage,
                    function<beginnings>},
                   {"last-places", "an end is one behind the last character: 1 for a word of one letter", kWordsPage,
                    function<last_places>},
                   {"digits-together", "digits in a row are one word: each is to stand alone", kWordsPage,
                    function<digits_together>},
                   {"space-with-digit", "the space goes with the digit behind it: before a digit it stands alone",
                    kWordsPage, function<space_with_digit>},
                   {"signs-with-letters", "letters and signs are one word: where one kind begins, the other ends",
                    kWordsPage, function<signs_with_letters>}},
      .place = place};
}

}  // namespace cut_words

// ---- m0-merge-loop: the letters of a word and the merges, left, right, joined each → its pieces ----
namespace merge_loop {
namespace {

using Ids = std::span<const std::int32_t>;
using Pieces = std::vector<std::int32_t>;

// A tokenizer whose letters are these: each gets a byte.
Pieces reference(Ids ids, Ids merges) {
  Vocabulary vocabulary;
  std::map<std::int32_t, char> letters;
  std::string word;
  for (const std::int32_t id : ids) {
    const auto [letter, is_new] = letters.emplace(id, static_cast<char>(letters.size()));
    if (is_new) vocabulary.add(id, std::string(1, letter->second));
    word += letter->second;
  }
  const std::size_t count = merges.size() / 3;
  MergeTable table;
  table.reserve(count);
  for (std::size_t rank = count; rank-- > 0;) {  // of a pair that comes twice the lower rank counts: it is set last
    const std::int32_t joined = merges[3 * rank + 2];
    if (!vocabulary.has(joined)) vocabulary.add(joined, "joined " + std::to_string(joined));
    table.set(merges[3 * rank], merges[3 * rank + 1], {static_cast<std::uint32_t>(rank), joined});
  }
  const Bpe bpe(std::move(vocabulary), std::move(table), Bpe::Units::bytes, {});
  Bpe::Scratch scratch;
  Pieces pieces;
  bpe.encode(word, pieces, scratch);
  return pieces;
}

struct Found {
  std::size_t rank, place;
};

// The loop, where `better` says which of two pairs goes first, and at most so many are joined.
template <class Better>
Pieces joined(Ids ids, Ids merges, std::size_t most, Better better) {
  Pieces pieces(ids.begin(), ids.end());
  for (; most > 0; --most) {
    std::optional<Found> best;
    for (std::size_t place = 0; place + 1 < pieces.size(); ++place) {
      for (std::size_t rank = 0; rank < merges.size() / 3; ++rank) {
        if (merges[3 * rank] != pieces[place] || merges[3 * rank + 1] != pieces[place + 1]) continue;
        if (!best || better(Found{rank, place}, *best)) best = Found{rank, place};
      }
    }
    if (!best) break;
    pieces[best->place] = merges[3 * best->rank + 2];
    pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(best->place) + 1);
  }
  return pieces;
}
Pieces order_ignored(Ids ids, Ids merges) {
  return joined(ids, merges, ids.size(), [](const Found& a, const Found& b) { return a.place < b.place; });
}
Pieces highest_rank_first(Ids ids, Ids merges) {
  return joined(ids, merges, ids.size(), [](const Found& a, const Found& b) { return a.rank > b.rank; });
}
Pieces rightmost_of_equals(Ids ids, Ids merges) {
  return joined(ids, merges, ids.size(), [](const Found& a, const Found& b) { return a.rank <= b.rank; });
}
Pieces one_join_only(Ids ids, Ids merges) {
  return joined(ids, merges, 1, [](const Found& a, const Found& b) { return a.rank < b.rank; });
}
Pieces rank_in_a_byte(Ids ids, Ids merges) {  // of more than 255 merges the others are never found
  return reference(ids, merges.first(std::min<std::size_t>(merges.size(), 3 * 255)));
}
Pieces one_pass(Ids ids, Ids merges) {  // what a later merge makes is never looked at by an earlier one
  Pieces pieces(ids.begin(), ids.end());
  for (std::size_t rank = 0; rank < merges.size() / 3; ++rank) {
    for (std::size_t place = 0; place + 1 < pieces.size(); ++place) {
      if (merges[3 * rank] != pieces[place] || merges[3 * rank + 1] != pieces[place + 1]) continue;
      pieces[place] = merges[3 * rank + 2];
      pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(place) + 1);
    }
  }
  return pieces;
}
Pieces nothing_joined(Ids ids, Ids) { return {ids.begin(), ids.end()}; }

std::vector<Argument> arguments(Pieces ids, Pieces merges) {
  const std::size_t count = merges.size() / 3;
  return {{"ids", std::move(ids)}, {"merges", std::move(merges), {count, 3}}};
}

std::vector<Case> by_hand() {
  return {
      {.title = "lower",
       .arguments = arguments({1, 2, 4, 0, 3}, {0, 3, 5, 1, 2, 6, 6, 4, 7, 7, 5, 8}),
       .expected = {{}, Pieces{8}},
       .arithmetic = "l o w e r   1 2 4 0 3   e r (0, 3) has rank 0: it becomes 5\nl o w er    1 2 4 5     l o (1, 2) "
                     "has rank 1: 6\nlo w er     6 4 5       lo w (6, 4): 7\nlow er      7 5         low er (7, 5): "
                     "8\nlower       8"},
      {.title = "the leftmost pair has the lowest rank",
       .arguments = arguments({0, 1, 2}, {0, 1, 3, 1, 2, 4}),
       .expected = {{}, Pieces{3, 2}},
       .arithmetic = "0 1 has rank 0 and 1 2 has rank 1: 0 1 becomes 3\n3 2 has no merge"},
      {.title = "the leftmost pair has not",
       .arguments = arguments({0, 1, 2}, {1, 2, 3, 0, 1, 4}),
       .expected = {{}, Pieces{0, 3}},
       .arithmetic =
           "0 1 has rank 1 and 1 2 has rank 0: 1 2 becomes 3, though it stands further right\n0 3 has no merge"},
      {.title = "three equal letters",
       .arguments = arguments({0, 0, 0}, {0, 0, 1}),
       .expected = {{}, Pieces{1, 0}},
       .arithmetic = "the pair 0 0 stands there twice, with the same rank: the leftmost goes first\n1 0 has no merge"},
      {.title = "a part that a later merge makes",
       .arguments = arguments({1, 2, 4}, {6, 4, 7, 1, 2, 6}),
       .expected = {{}, Pieces{7}},
       .arithmetic =
           "1 2 has rank 1, and nothing else has a merge: it becomes 6\n6 4 has rank 0: a lower rank may come "
           "up after a higher one. It becomes 7"},
      {.title = "no merges",
       .arguments = arguments({2, 1}, {}),
       .expected = {{}, Pieces{2, 1}},
       .arithmetic = "nothing may be joined: the letters stay"}};
}

// Merges as they are learnt: each joins two pieces that were there before. Some lists are then shuffled: a part may be
// made by a merge of a higher rank.
std::vector<Argument> random(Random& random) {
  const auto letters = static_cast<std::int32_t>(whole(random, 2, 4));
  std::int32_t pieces = letters;
  Pieces merges;
  std::map<std::pair<std::int32_t, std::int32_t>, bool> is_there;
  for (std::size_t n = whole(random, 0, 8); n > 0; --n) {
    const auto last = static_cast<std::size_t>(pieces - 1);
    const auto left = static_cast<std::int32_t>(whole(random, 0, last));
    const auto right = static_cast<std::int32_t>(whole(random, 0, last));
    if (!std::exchange(is_there[{left, right}], true)) merges.insert(merges.end(), {left, right, pieces++});
  }
  if (whole(random, 0, 2) == 0) {
    for (std::size_t last = merges.size() / 3; last > 1; --last) {
      const auto merge = [&](std::size_t rank) { return merges.begin() + static_cast<std::ptrdiff_t>(3 * rank); };
      std::swap_ranges(merge(last - 1), merge(last), merge(whole(random, 0, last - 1)));
    }
  }
  Pieces ids(whole(random, 0, 14));
  for (std::int32_t& id : ids) id = static_cast<std::int32_t>(whole(random, 0, static_cast<std::size_t>(letters - 1)));
  return arguments(std::move(ids), std::move(merges));
}

// A model's merges, the lowest rank first. Each was learnt to make a token, so the tokens show them all.
Pieces merges_of(const Tokenizer& tokenizer) {
  std::map<std::int64_t, std::array<TokenId, 3>> by_rank;
  for (TokenId id = 0; static_cast<std::size_t>(id) < tokenizer.vocab_size(); ++id) {
    const std::string piece = tokenizer.piece(id);
    if (tokenizer.is_added(id) || find_invalid_utf8(piece)) continue;
    for (const MergeStep& step : tokenizer.explain(piece)) {
      const auto left = tokenizer.id_of(step.left), right = tokenizer.id_of(step.right);
      const auto both = tokenizer.id_of(step.left + step.right);
      if (left && right && both) by_rank[step.rank] = {*left, *right, *both};
    }
  }
  Pieces merges;
  for (const auto& [rank, merge] : by_rank) merges.insert(merges.end(), merge.begin(), merge.end());
  return merges;
}

// A tokenizer of characters has not all of a word's bytes; its words are left to Rung.
std::vector<TokenId> word_ids(const LoadedModel& model, std::string_view word, LearnerFunction f,
                              const Pieces& merges) {
  Pieces letters;
  for (const char byte : word) {
    const auto id = model.tokenizer().id_of(spell_bytes({&byte, 1}));
    if (!id) return encoded(model, word);
    letters.push_back(*id);
  }
  return call<Pieces>(f, letters, merges);
}

void place(Seams& seams, LearnerFunction f) {
  seams.encode = [f, merges = Pieces(), of = static_cast<const LoadedModel*>(nullptr)](const LoadedModel& model,
                                                                                       std::string_view text) mutable {
    if (std::exchange(of, &model) != &model) merges = merges_of(model.tokenizer());
    std::vector<TokenId> ids;
    std::size_t begin = 0;
    for (const std::uint32_t end : cut_words::reference(text)) {
      const auto word = word_ids(model, text.substr(begin, end - begin), f, merges);
      ids.insert(ids.end(), word.begin(), word.end());
      begin = end;
    }
    return ids;
  };
}

}  // namespace

Exercise exercise() {
  return {.name = "m0-merge-loop",
          .reference = learn::reference<reference>(),
          .by_hand = by_hand,
          .random = random,
          .tolerance = 0,
          .mistakes = {{"nothing-joined", "no pair is joined: put the merge's third number in the place of the two",
                        kMergesPage, function<nothing_joined>},
                       {"one-join-only", "it stops after one join: go on until no two neighbours have a merge",
                        kMergesPage, function<one_join_only>},
                       {"highest-rank-first", "the highest rank goes first: it is the lowest, learnt first",
                        kMergesPage, function<highest_rank_first>},
                       {"order-ignored",
                        "the first pair from the left that has a merge is joined: look at all pairs, and take the one "
                        "with the lowest rank",
                        kMergesPage, function<order_ignored>},
                       {"one-pass",
                        "each rank is looked for once: what is joined may make a pair of a lower rank, so begin again "
                        "at rank 0 after each join",
                        kMergesPage, function<one_pass>},
                       {"rank-in-a-byte",
                        "merges from rank 255 on are never found: a rank does not fit into 8 bits, use std::size_t",
                        kMergesPage, function<rank_in_a_byte>},
                       {"rightmost-of-equals",
                        "of equal ranks the rightmost is joined: a later pair must have a lower rank, not the same",
                        kMergesPage, function<rightmost_of_equals>}},
          .place = place};
}

}  // namespace merge_loop

}  // namespace rung::learn

// What a code point is to the official tokenizers: classes for regular expressions and splits, the four normal forms,
// lower case. The tables (unicode_tables.inc) are made by tools/unicode_tables.py from those tokenizers' own behaviour.
// Milestone M0.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace rung {

// General categories, and what else tells code points apart, fold into about fifty *kinds*. Every class that a pattern
// can name (\p{L}, \s,
// \w, a negation, a union) is then a set of kinds: 64 bits.
using Kind = std::uint8_t;
using KindSet = std::uint64_t;
constexpr KindSet all_kinds = ~KindSet{0};

Kind kind_of(char32_t c);
inline bool contains(KindSet set, char32_t c) { return (set >> kind_of(c) & 1) != 0; }

// \p{name}: a general category ("Lu"), a group of them ("L"), or the one script that a tokenizer names, Han; nullopt if
// there is no such class.
std::optional<KindSet> category_kinds(std::string_view name);
KindSet space_kinds();        // \s: White_Space
KindSet word_kinds();         // \w of Split and Replace patterns
KindSet plain_word_kinds();   // \w of the Whitespace pre-tokenizer and of single_word added tokens
KindSet digit_kinds();        // the Digits pre-tokenizer: Nd, Nl, No
KindSet punctuation_kinds();  // the Punctuation pre-tokenizer: P and the ASCII symbols

enum class NormalForm : std::uint8_t { nfc, nfd, nfkc, nfkd };

// Linear but for a run of combining marks, which is sorted. Text that is already in the form comes back after one look
// at each character.
std::string normalize(std::string_view text, NormalForm form);

std::string lowercase(std::string_view text);  // character by character: no rule for a final sigma
void for_each_case_variant(const std::function<void(char32_t, char32_t)>& visit);  // (c, d): (?i:c) matches d too

}  // namespace rung

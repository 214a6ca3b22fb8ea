// A text → the words that byte-pair encoding works on. Stages cut pieces into smaller ones, each handing its pieces on
// to the next as it finds them, so that nothing is collected.  Milestone M0.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "text/pattern.h"

namespace rung {

// What becomes of the delimiters. Of "a--b" cut at "-":  a - - b · a b · a- - b · a - -b · a -- b
enum class SplitBehavior : std::uint8_t { isolated, removed, merged_with_previous, merged_with_next, contiguous };

struct SplitPattern {
  Pattern pattern;
  SplitBehavior behavior;
  bool invert;  // cut at what does not match
};
struct SplitKinds {  // at single characters: Digits, Punctuation, WhitespaceSplit
  KindSet kinds;
  SplitBehavior behavior;
};
struct SplitWhitespace {};  // keeps the matches of \w+|[^\w\s]+
struct SplitByteLevel {
  bool add_prefix_space;
  bool use_regex;
  bool spell;  // hand on the spelling ("Ġthe"), not the bytes: other stages or a model of characters follow
};
struct SplitMetaspace {
  enum class Prepend : std::uint8_t { always, first, never };
  char32_t replacement;
  Prepend prepend;
  bool split;
};
using PreTokenizerStage = std::variant<SplitPattern, SplitKinds, SplitWhitespace, SplitByteLevel, SplitMetaspace>;

// A reference to anything that can be called, without owning it (std::function would copy and allocate).
class WordSink {
 public:
  template <class F>
  // NOLINT
  WordSink(const F& f)
      : object_(&f), call_([](const void* o, std::string_view word) { (*static_cast<const F*>(o))(word); }) {}
  void operator()(std::string_view word) const { call_(object_, word); }

 private:
  const void* object_;
  void (*call_)(const void*, std::string_view);
};

class PreTokenizer {
 public:
  using Scratch = std::vector<Regex::Scratch>;  // one per stage, for they run at the same time

  void add(PreTokenizerStage stage) { stages_.push_back(std::move(stage)); }
  const std::vector<PreTokenizerStage>& stages() const { return stages_; }

  // `at_start`: the text stands at the very start of what is encoded (Metaspace's prepend_scheme "first" asks).
  void split(std::string_view text, bool at_start, Scratch& scratch, WordSink sink) const;

 private:
  std::vector<PreTokenizerStage> stages_;
};

}  // namespace rung

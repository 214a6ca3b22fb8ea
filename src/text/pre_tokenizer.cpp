#include "text/pre_tokenizer.h"

#include "base/utf8.h"
#include "text/byte_alphabet.h"

namespace rung {
namespace {

// Oniguruma reads this pattern for GPT-2 as we do.
constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

// Receives the matches of a text and what lies between them, in order, and hands on pieces as the behavior says.
template <class Emit>
class Cutter {
 public:
  Cutter(std::string_view text, SplitBehavior behavior, bool invert, Emit emit)
      : text_(text), behavior_(behavior), invert_(invert), emit_(emit) {}

  void match(ByteRange range) {
    if (done_ < range.begin) segment({done_, range.begin}, invert_);
    segment(range, !invert_);
    done_ = range.end;
  }
  void finish() {
    if (done_ < text_.size()) segment({done_, text_.size()}, invert_);
    if (held_) put(*held_);
  }

 private:
  void put(ByteRange r) {
    if (r.begin < r.end) emit_(text_.substr(r.begin, r.end - r.begin), r.begin == 0);
  }

  void segment(ByteRange r, bool is_match) {
    switch (behavior_) {
      case SplitBehavior::isolated: put(r); break;
      case SplitBehavior::removed:
        if (!is_match) put(r);
        break;
      case SplitBehavior::merged_with_previous: join(r, is_match && !last_was_match_, is_match); break;
      case SplitBehavior::merged_with_next: join(r, !is_match && last_was_match_, is_match); break;
      case SplitBehavior::contiguous: join(r, is_match == last_was_match_, is_match); break;
    }
  }

  void join(ByteRange r, bool together, bool is_match) {
    if (held_ && together) {
      held_->end = r.end;
    } else {
      if (held_) put(*held_);
      held_ = r;
    }
    last_was_match_ = is_match;
  }

  std::string_view text_;
  SplitBehavior behavior_;
  bool invert_;
  Emit emit_;
  std::size_t done_ = 0;
  std::optional<ByteRange> held_;
  bool last_was_match_ = false;
};

struct Run {
  const std::vector<PreTokenizerStage>& stages;
  PreTokenizer::Scratch& scratch;
  WordSink sink;

  void go(std::size_t stage, std::string_view text, bool at_start) const {
    if (text.empty()) return;
    if (stage == stages.size()) return sink(text);
    std::visit([&](const auto& s) { apply(s, stage, text, at_start); }, stages[stage]);
  }

  auto cutter(std::string_view text, SplitBehavior behavior, bool invert, std::size_t stage, bool at_start) const {
    auto emit = [this, stage, at_start](std::string_view piece, bool first) {
      go(stage + 1, piece, at_start && first);
    };
    return Cutter<decltype(emit)>(text, behavior, invert, emit);
  }

  void apply(const SplitPattern& s, std::size_t stage, std::string_view text, bool at_start) const {
    auto cut = cutter(text, s.behavior, s.invert, stage, at_start);
    s.pattern.for_each_match(text, scratch[stage], [&](ByteRange match) { cut.match(match); });
    cut.finish();
  }

  void apply(const SplitKinds& s, std::size_t stage, std::string_view text, bool at_start) const {
    auto cut = cutter(text, s.behavior, false, stage, at_start);
    for (const char* p = text.data(); p != text.data() + text.size();) {
      const auto begin = static_cast<std::size_t>(p - text.data());
      if (contains(s.kinds, decode_utf8(p))) cut.match({begin, static_cast<std::size_t>(p - text.data())});
    }
    cut.finish();
  }

  void apply(const SplitWhitespace&, std::size_t stage, std::string_view text, bool at_start) const {
    static const KindSet words = plain_word_kinds(), spaces = space_kinds();
    const auto type = [](char32_t c) { return contains(words, c) ? 2 : contains(spaces, c) ? 0 : 1; };
    const char* const end = text.data() + text.size();
    for (const char* p = text.data(); p != end;) {
      const char* const begin = p;
      const int first = type(decode_utf8(p));
      for (const char* next = p; p != end && type(decode_utf8(next)) == first; p = next) {
      }
      const std::string_view run(begin, static_cast<std::size_t>(p - begin));
      if (first != 0) go(stage + 1, run, at_start && begin == text.data());
    }
  }

  void apply(const SplitByteLevel& s, std::size_t stage, std::string_view text, bool at_start) const {
    static const Regex pattern(kGpt2Pattern, "ByteLevel");
    std::string prefixed;
    if (s.add_prefix_space && !text.starts_with(' ')) text = prefixed.assign(" ").append(text);
    const auto emit = [&](std::string_view piece, bool first) {
      if (s.spell) {
        go(stage + 1, spell_bytes(piece), at_start && first);
      } else {
        go(stage + 1, piece, at_start && first);
      }
    };
    if (!s.use_regex) return emit(text, true);
    auto cut = Cutter<decltype(emit)>(text, SplitBehavior::isolated, false, emit);
    Regex::Search search(pattern, text, scratch[stage]);
    while (const auto match = search.next()) cut.match(*match);
    cut.finish();
  }

  void apply(const SplitMetaspace& s, std::size_t stage, std::string_view text, bool at_start) const {
    std::string mark, replaced;
    append_utf8(mark, s.replacement);
    for (const char c : text) c == ' ' ? replaced.append(mark) : replaced.append(1, c);
    const bool wanted =
        s.prepend == SplitMetaspace::Prepend::always || (s.prepend == SplitMetaspace::Prepend::first && at_start);
    if (wanted && !replaced.starts_with(mark)) replaced.insert(0, mark);
    if (!s.split) return go(stage + 1, replaced, at_start);
    auto cut = cutter(replaced, SplitBehavior::merged_with_next, false, stage, at_start);
    const std::string_view all = replaced;
    for (std::size_t i = all.find(mark); i != all.npos; i = all.find(mark, i + mark.size())) {
      cut.match({i, i + mark.size()});
    }
    cut.finish();
  }
};

}  // namespace

void PreTokenizer::split(std::string_view text, bool at_start, Scratch& scratch, WordSink sink) const {
  scratch.resize(stages_.size());
  Run{stages_, scratch, sink}.go(0, text, at_start);
}

}  // namespace rung

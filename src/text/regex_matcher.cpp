// Program × text → matches: a backtracking machine that keeps its own stack.  Milestone M0.
#include <bit>

#include "base/error.h"
#include "base/utf8.h"
#include "text/regex.h"

namespace rung {
namespace {

constexpr std::uint32_t no_slot = ~std::uint32_t{0};
constexpr std::uint64_t free_steps = 1'000'000, steps_per_byte = 100;

}  // namespace

// One attempt at one place.
class RegexRun {
 public:
  using Op = Regex::Op;

  RegexRun(const Regex& regex, std::string_view text, Regex::Scratch& scratch)
      : regex_(regex), begin_(text.data()), end_(text.data() + text.size()), scratch_(scratch) {}

  // The end of the match of the program at `pc` that starts at p; nullptr if there is none. Recursive only for groups
  // inside the pattern.
  const char* match(std::uint32_t pc, const char* p) {
    const std::size_t base = scratch_.frames.size();
    for (;;) {
      const Regex::Instruction& in = regex_.program_[pc];
      if (in.op == Op::accept) {
        unwind(base);
        return p;
      }
      if (!step(in, pc, p) && !backtrack(base, pc, p)) return nullptr;
    }
  }

 private:
  bool step(const Regex::Instruction& in, std::uint32_t& pc, const char*& p) {
    switch (in.op) {
      case Op::byte: ++pc; return p != end_ && static_cast<unsigned char>(*p++) == in.x;
      case Op::set: ++pc; return p != end_ && regex_.sets_[in.x].contains(decode_utf8(p));
      case Op::run: return run(in, pc, p);
      case Op::alternatives: return choose(pc, p, viable(regex_.alternatives_[in.x], p));
      case Op::split:
        push({.pc = in.y, .slot = no_slot, .position = p, .low = p, .others = 0});
        pc = in.x;
        return true;
      case Op::jump: pc = in.x; return true;
      case Op::look: {
        const bool found = match(pc + 1, p) != nullptr;
        pc = in.y;
        return found != in.flag;
      }
      case Op::atomic:
        p = match(pc + 1, p);
        pc = in.y;
        return p != nullptr;
      case Op::mark:
        push({.pc = 0, .slot = in.x, .position = scratch_.slots[in.x], .low = nullptr, .others = 0});
        scratch_.slots[in.x] = p;
        ++pc;
        return true;
      case Op::progress: pc = p != scratch_.slots[in.x] ? pc + 1 : in.y; return true;
      default: ++pc; return holds(in.op, p);
    }
  }

  bool run(const Regex::Instruction& in, std::uint32_t& pc, const char*& p) {
    const Regex::Set& set = regex_.sets_[in.x];
    std::uint32_t n = 0;
    const char* low = in.min == 0 ? p : nullptr;  // where p stands after `min` characters
    while (n < in.max && p != end_) {
      const char* next = p;
      const auto b = static_cast<unsigned char>(*p);
      if (b < 128 ? !set.ascii[b] : false) break;
      if (b < 128) {
        ++next;
      } else if (!set.contains(decode_utf8(next))) {
        break;
      }
      p = next;
      if (++n == in.min) low = p;
    }
    charge(n);
    if (n < in.min) return false;
    ++pc;
    if (!in.flag && p != low) push({.pc = pc, .slot = no_slot, .position = p, .low = low, .others = 0});
    return true;
  }

  std::uint64_t viable(const Regex::Alternatives& a, const char* p) const {
    if (p == end_) return a.at_end;
    const auto b = static_cast<unsigned char>(*p);
    return b < 128 ? a.ascii[b] : a.kind[kind_of(decode_utf8(p))];
  }

  // Goes on with the first alternative of the mask and remembers the others.
  bool choose(std::uint32_t& pc, const char* p, std::uint64_t mask) {
    if (mask == 0) return false;
    const Regex::Alternatives& a = regex_.alternatives_[regex_.program_[pc].x];
    const auto first = static_cast<std::size_t>(std::countr_zero(mask));
    mask &= mask - 1;
    if (mask != 0) push({.pc = pc, .slot = no_slot, .position = p, .low = p, .others = mask});
    pc = a.pcs[first];
    return true;
  }

  bool holds(Op op, const char* p) const {
    const bool at_begin = p == begin_, at_end = p == end_;
    switch (op) {
      case Op::line_begin: return at_begin || (p[-1] == '\n' && !at_end);
      case Op::line_end: return at_end || *p == '\n';
      case Op::text_begin: return at_begin;
      case Op::text_end: return at_end;
      case Op::text_end_or_newline: return at_end || (*p == '\n' && p + 1 == end_);
      default: {
        static const KindSet words = word_kinds();
        const char* before = at_begin ? nullptr : previous_utf8(p);
        const bool left = before != nullptr && contains(words, decode_utf8(before));
        const bool right = !at_end && contains(words, decode_utf8(p));
        return (left != right) == (op == Op::word_boundary);
      }
    }
  }

  void charge(std::uint64_t steps) {
    if (scratch_.steps_left < steps) fail("{}: this pattern backtracks too much on this text", regex_.where_);
    scratch_.steps_left -= steps;
  }

  void push(const Regex::Frame& frame) { scratch_.frames.push_back(frame); }

  // Back to the latest choice that is still open.
  bool backtrack(std::size_t base, std::uint32_t& pc, const char*& p) {
    while (scratch_.frames.size() > base) {
      charge(1);
      Regex::Frame& frame = scratch_.frames.back();
      if (frame.slot != no_slot) {
        scratch_.slots[frame.slot] = frame.position;
        scratch_.frames.pop_back();
        continue;
      }
      pc = frame.pc;
      p = frame.position;
      if (frame.others != 0) {
        const std::uint64_t mask = frame.others;
        scratch_.frames.pop_back();
        return choose(pc, p, mask);
      }
      if (frame.low != frame.position) {  // a run gives one character back
        p = frame.position = previous_utf8(p);
        if (frame.low == frame.position) scratch_.frames.pop_back();
        return true;
      }
      scratch_.frames.pop_back();
      return true;
    }
    return false;
  }

  // A group has matched: its choices are final. Slots keep their values, for what is behind does not look at them.
  void unwind(std::size_t base) { scratch_.frames.resize(base); }

  const Regex& regex_;
  const char* begin_;
  const char* end_;
  Regex::Scratch& scratch_;
};

Regex::Search::Search(const Regex& regex, std::string_view text, Scratch& scratch)
    : regex_(regex), text_(text), scratch_(scratch) {
  scratch_.frames.clear();
  scratch_.slots.assign(regex.slots_, nullptr);
  scratch_.steps_left = free_steps + steps_per_byte * text.size();
}

std::optional<ByteRange> Regex::Search::next() {
  const auto at = [this](std::size_t i) { return text_.data() + i; };
  for (; at_ <= text_.size(); at_ += at_ < text_.size() ? utf8_length(text_[at_]) : 1) {
    while (at_ < text_.size() && !regex_.can_start_[static_cast<unsigned char>(text_[at_])]) ++at_;
    if (scratch_.steps_left-- == 0) fail("{}: this pattern backtracks too much on this text", regex_.where_);
    const char* end = RegexRun(regex_, text_, scratch_).match(0, at(at_));
    if (end == nullptr) continue;
    const ByteRange found{at_, static_cast<std::size_t>(end - text_.data())};
    const bool empty = found.begin == found.end;
    if (empty && found.end == last_end_) continue;  // an empty match right behind a match is none
    last_end_ = found.end;
    at_ = found.end + (!empty ? 0 : found.end < text_.size() ? utf8_length(text_[found.end]) : 1);
    return found;
  }
  return std::nullopt;
}

}  // namespace rung

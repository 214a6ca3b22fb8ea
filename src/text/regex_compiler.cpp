// Syntax tree → program, the second half of compiling a regular expression.  Milestone M0.
#include <algorithm>
#include <string>

#include "base/error.h"
#include "text/regex_tree.h"

namespace rung {
namespace {

using Type = RegexNode::Type;
using Greed = RegexNode::Greed;

constexpr std::size_t max_instructions = 1 << 14;  // {n,m} is written out n + m times

bool can_be_empty(const RegexNode& node) {
  switch (node.type) {
    case Type::set: return false;
    case Type::repeat: return node.min == 0 || can_be_empty(node.children[0]);
    case Type::atomic: return can_be_empty(node.children[0]);
    case Type::sequence: return std::all_of(node.children.begin(), node.children.end(), can_be_empty);
    case Type::alternation: return std::any_of(node.children.begin(), node.children.end(), can_be_empty);
    default: return true;
  }
}

// What a match of the node may begin with; of one that can be empty, what it begins with when it is not.
CodePointSet first_of(const RegexNode& node) {
  CodePointSet first = CodePointSet::of_kinds(0);
  switch (node.type) {
    case Type::set: return node.set;
    case Type::repeat: return node.max == 0 ? first : first_of(node.children[0]);
    case Type::atomic: return first_of(node.children[0]);
    case Type::sequence:
      for (const RegexNode& child : node.children) {
        first = first | first_of(child);
        if (!can_be_empty(child)) break;
      }
      return first;
    case Type::alternation:
      for (const RegexNode& child : node.children) first = first | first_of(child);
      return first;
    default: return first;  // it consumes nothing
  }
}

bool is_only_set(const RegexNode& node) { return node.type == Type::set; }

}  // namespace

class RegexCompiler {
 public:
  using Op = Regex::Op;
  using Instruction = Regex::Instruction;

  RegexCompiler(Regex& regex, std::string_view pattern, std::string_view where)
      : regex_(regex), pattern_(pattern), where_(where) {}

  void compile(const RegexNode& node) {
    emit_node(node, true);
    emit({.op = Op::accept});
    const CodePointSet first = first_of(node);
    const bool anywhere = can_be_empty(node), beyond_ascii = anywhere || first.kinds_from(128) != 0;
    for (std::size_t b = 0; b < 256; ++b) {
      regex_.can_start_[b] = b < 128 ? anywhere || first.contains(static_cast<char32_t>(b)) : b >= 0xc0 && beyond_ascii;
    }
  }

 private:
  std::uint32_t here() const { return static_cast<std::uint32_t>(regex_.program_.size()); }

  std::uint32_t emit(Instruction instruction) {
    if (regex_.program_.size() == max_instructions) {
      fail("{}: pattern '{}': too large", where_, pattern_.substr(0, 200));
    }
    regex_.program_.push_back(instruction);
    return here() - 1;
  }
  Instruction& at(std::uint32_t pc) { return regex_.program_[pc]; }

  std::uint32_t add_set(const CodePointSet& set) {
    Regex::Set s{.ascii = {}, .kinds = set.kinds_from(128), .simple = true, .set = set};
    for (char32_t c = 0; c < 128; ++c) s.ascii[c] = set.contains(c);
    s.simple = set.is_uniform_from(128);
    regex_.sets_.push_back(std::move(s));
    return static_cast<std::uint32_t>(regex_.sets_.size() - 1);
  }

  // `last`: nothing stands behind this node, so a run in it never has to give characters back.
  void emit_node(const RegexNode& node, bool last) {
    switch (node.type) {
      case Type::set: emit_set(node.set); return;
      case Type::sequence:
        for (std::size_t i = 0; i < node.children.size(); ++i) {
          emit_node(node.children[i],
                    last && std::all_of(node.children.begin() + static_cast<std::ptrdiff_t>(i) + 1, node.children.end(),
                                        [](const RegexNode& n) { return cannot_fail(n); }));
        }
        return;
      case Type::alternation: emit_alternation(node, last); return;
      case Type::repeat: emit_repeat(node, last); return;
      case Type::look:
      case Type::atomic: {
        const std::uint32_t start =
            emit({.op = node.type == Type::look ? Op::look : Op::atomic, .flag = node.negative});
        emit_node(node.children[0], true);
        emit({.op = Op::accept});
        at(start).y = here();
        return;
      }
      case Type::line_begin: emit({.op = Op::line_begin}); return;
      case Type::line_end: emit({.op = Op::line_end}); return;
      case Type::text_begin: emit({.op = Op::text_begin}); return;
      case Type::text_end: emit({.op = Op::text_end}); return;
      case Type::text_end_or_newline: emit({.op = Op::text_end_or_newline}); return;
      case Type::word_boundary: emit({.op = Op::word_boundary}); return;
      case Type::no_word_boundary: emit({.op = Op::no_word_boundary}); return;
    }
  }

  // Always matches, and in the same way whatever it is given back: [\r\n]*
  static bool cannot_fail(const RegexNode& node) {
    return node.type == Type::repeat && node.min == 0 && is_only_set(node.children[0]);
  }

  void emit_set(const CodePointSet& set) {
    for (char32_t c = 0; c < 128; ++c) {
      if (set.contains(c) && set.is_only(c)) {
        emit({.op = Op::byte, .x = c});
        return;
      }
    }
    emit({.op = Op::set, .x = add_set(set)});
  }

  void emit_alternation(const RegexNode& node, bool last) {
    if (node.children.size() > 64) return emit_split_chain(node, last);
    const auto index = static_cast<std::uint32_t>(regex_.alternatives_.size());
    regex_.alternatives_.emplace_back(Regex::Alternatives{});
    emit({.op = Op::alternatives, .x = index});
    std::vector<std::uint32_t> starts, jumps;
    for (const RegexNode& child : node.children) {
      starts.push_back(here());
      emit_node(child, last);
      jumps.push_back(emit({.op = Op::jump}));
    }
    for (const std::uint32_t jump : jumps) at(jump).x = here();
    Regex::Alternatives& a = regex_.alternatives_[index];
    a.pcs = std::move(starts);
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      const CodePointSet first = first_of(node.children[i]);
      const KindSet kinds = first.kinds_from(128);
      const bool always = can_be_empty(node.children[i]);
      const std::uint64_t bit = std::uint64_t{1} << i;
      for (char32_t c = 0; c < 128; ++c) a.ascii[c] |= always || first.contains(c) ? bit : 0;
      for (std::size_t k = 0; k < 64; ++k) a.kind[k] |= always || (kinds >> k & 1) != 0 ? bit : 0;
      a.at_end |= always ? bit : 0;
    }
  }

  void emit_split_chain(const RegexNode& node, bool last) {
    std::vector<std::uint32_t> jumps;
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      const bool more = i + 1 < node.children.size();
      const std::uint32_t split = more ? emit({.op = Op::split, .x = here() + 1}) : 0;
      emit_node(node.children[i], last);
      jumps.push_back(emit({.op = Op::jump}));
      if (more) at(split).y = here();
    }
    for (const std::uint32_t jump : jumps) at(jump).x = here();
  }

  void emit_repeat(const RegexNode& node, bool last) {
    const RegexNode& inner = node.children[0];
    if (is_only_set(inner) && node.greed != Greed::lazy) {
      emit({.op = Op::run,
            .flag = last || node.greed == Greed::possessive,
            .x = add_set(inner.set),
            .min = node.min,
            .max = node.max});
      return;
    }
    std::uint32_t atomic = 0;
    if (node.greed == Greed::possessive) atomic = emit({.op = Op::atomic});
    for (std::uint32_t i = 0; i < node.min; ++i) emit_node(inner, false);
    if (node.max == unlimited) {
      emit_loop(inner, node.greed == Greed::lazy);
    } else {
      emit_optional(inner, node.max - node.min, node.greed == Greed::lazy);
    }
    if (node.greed == Greed::possessive) {
      emit({.op = Op::accept});
      at(atomic).y = here();
    }
  }

  void emit_loop(const RegexNode& inner, bool lazy) {
    const std::uint32_t split = emit({.op = Op::split});
    const std::uint32_t body = here();
    const bool guard = can_be_empty(inner);  // else (a*)* would go round without moving
    const std::uint32_t slot = guard ? regex_.slots_++ : 0;
    if (guard) emit({.op = Op::mark, .x = slot});
    emit_node(inner, false);
    const std::uint32_t progress = guard ? emit({.op = Op::progress, .x = slot}) : 0;
    emit({.op = Op::jump, .x = split});
    if (guard) at(progress).y = here();
    set_split(split, body, here(), lazy);
  }

  void emit_optional(const RegexNode& inner, std::uint32_t times, bool lazy) {
    std::vector<std::uint32_t> splits;
    for (std::uint32_t i = 0; i < times; ++i) {
      splits.push_back(emit({.op = Op::split}));
      emit_node(inner, false);
    }
    for (const std::uint32_t split : splits) set_split(split, split + 1, here(), lazy);
  }

  void set_split(std::uint32_t split, std::uint32_t inside, std::uint32_t behind, bool lazy) {
    at(split).x = lazy ? behind : inside;
    at(split).y = lazy ? inside : behind;
  }

  Regex& regex_;
  std::string_view pattern_, where_;
};

Regex::Regex(std::string_view pattern, std::string_view where) : where_(where) {
  const RegexNode tree = parse_regex(pattern, where);
  RegexCompiler(*this, pattern, where).compile(tree);
}

}  // namespace rung

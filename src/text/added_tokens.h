// Tokens that are found in the text before anything else looks at it: control tokens such as <|im_end|>, and words a
// model was given later. Milestone M0.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/byte_range.h"
#include "text/tokenizer.h"

namespace rung {

struct AddedToken {
  TokenId id;
  std::string content;
  bool single_word = false;  // only where no letter, digit or _ touches it
  bool lstrip = false;       // takes the white space before it along
  bool rstrip = false;       // and that behind it
  bool normalized = false;   // looked for in the normalized text
  bool special = false;      // a control token
};

// Finds the leftmost longest token of a set.
class TokenTrie {
 public:
  void add(std::string_view content, std::uint32_t value);
  bool empty() const { return nodes_.size() == 1; }

  struct Match {
    ByteRange range;
    std::uint32_t value;
  };
  // `allowed(match)` may refuse one: then a shorter one at the same place is looked for, then the search goes on.
  template <class Allowed>
  std::optional<Match> find(std::string_view text, std::size_t from, Allowed allowed) const {
    for (; from < text.size(); ++from) {
      std::uint32_t node = first_[static_cast<unsigned char>(text[from])];
      std::optional<Match> best;
      for (std::size_t i = from + 1; node != 0; node = child(node, static_cast<unsigned char>(text[i++]))) {
        if (nodes_[node].value != no_value) {
          const Match match{{from, i}, nodes_[node].value};
          if (allowed(match)) best = match;
        }
        if (i == text.size()) break;
      }
      if (best) return best;
    }
    return std::nullopt;
  }

 private:
  static constexpr std::uint32_t no_value = ~std::uint32_t{0};
  struct Node {
    std::uint32_t child = 0, sibling = 0, value = no_value;
    unsigned char byte = 0;
  };
  std::uint32_t child(std::uint32_t node, unsigned char byte) const {
    std::uint32_t c = nodes_[node].child;
    while (c != 0 && nodes_[c].byte != byte) c = nodes_[c].sibling;
    return c;
  }
  std::vector<Node> nodes_ = std::vector<Node>(1);  // node 0 is none
  std::array<std::uint32_t, 256> first_{};
};

}  // namespace rung

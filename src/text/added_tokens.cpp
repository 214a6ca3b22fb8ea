#include "text/added_tokens.h"

namespace rung {

void TokenTrie::add(std::string_view content, std::uint32_t value) {
  std::uint32_t node = 0;
  for (const char c : content) {
    const auto byte = static_cast<unsigned char>(c);
    std::uint32_t next = node == 0 ? first_[byte] : child(node, byte);
    if (next == 0) {
      next = static_cast<std::uint32_t>(nodes_.size());
      nodes_.push_back({.child = 0, .sibling = nodes_[node].child, .byte = byte});
      if (node == 0) {
        nodes_[next].sibling = 0;
        first_[byte] = next;
      } else {
        nodes_[node].child = next;
      }
    }
    node = next;
  }
  if (node != 0 && nodes_[node].value == no_value) nodes_[node].value = value;
}

}  // namespace rung

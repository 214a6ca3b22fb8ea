// Token ids ↔ the bytes they stand for: one arena, one hash table.  Milestone M0.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace rung {

constexpr TokenId no_token = -1;
// real vocabularies end below 2^18; what a file says must not make us allocate gigabytes
constexpr TokenId max_token_id = (1 << 22) - 1;

class Vocabulary {
 public:
  void reserve(std::size_t tokens, std::size_t bytes);  // before the first add
  // Ids come once each and lie in 0 … max_token_id; the callers have checked. Of equal texts the first one is found.
  // `findable`: some tokens are no text of the model's alphabet, so no text may become them.
  void add(TokenId id, std::string_view text, bool findable = true);

  bool has(TokenId id) const {
    return id >= 0 && static_cast<std::size_t>(id) < spans_.size() &&
           spans_[static_cast<std::size_t>(id)].length != absent;
  }
  std::string_view text(TokenId id) const {
    const Span& s = spans_[static_cast<std::size_t>(id)];
    return {arena_.data() + s.offset, s.length};
  }
  TokenId find(std::string_view text) const;
  std::size_t end_id() const { return spans_.size(); }  // the highest id + 1
  std::size_t size() const { return count_; }

 private:
  static constexpr std::uint32_t absent = ~std::uint32_t{0};
  struct Span {
    std::uint32_t offset = 0, length = absent;
  };
  struct Slot {
    std::uint32_t tag;  // other half of the hash, so that most mismatches are seen without touching the arena
    TokenId id = no_token;
  };
  void grow();
  void insert(std::uint64_t hash, TokenId id);

  std::string arena_;
  std::vector<Span> spans_;
  std::vector<Slot> slots_;  // open addressing, a power of two, at most half full
  std::size_t count_ = 0, findable_ = 0;
};

}  // namespace rung

#include "text/vocabulary.h"

#include <bit>

#include "text/hash.h"

namespace rung {

void Vocabulary::reserve(std::size_t tokens, std::size_t bytes) {
  arena_.reserve(bytes);
  spans_.reserve(tokens);
  slots_.assign(std::bit_ceil(2 * tokens + 16), Slot{});
}

void Vocabulary::add(TokenId id, std::string_view text, bool findable) {
  const auto i = static_cast<std::size_t>(id);
  if (i >= spans_.size()) spans_.resize(i + 1);
  spans_[i] = {static_cast<std::uint32_t>(arena_.size()), static_cast<std::uint32_t>(text.size())};
  arena_.append(text);
  ++count_;
  if (!findable) return;
  if (2 * ++findable_ + 2 > slots_.size()) grow();
  insert(hash_bytes(text), id);
}

void Vocabulary::grow() {
  std::vector<Slot> old(std::bit_ceil(4 * findable_ + 16));
  std::swap(old, slots_);
  for (const Slot& s : old) {
    if (s.id != no_token) insert(hash_bytes(text(s.id)), s.id);
  }
}

void Vocabulary::insert(std::uint64_t hash, TokenId id) {
  const auto tag = static_cast<std::uint32_t>(hash >> 32);
  for (std::size_t i = hash & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
    if (slots_[i].id == no_token) {
      slots_[i] = {tag, id};
      return;
    }
    if (slots_[i].tag == tag && text(slots_[i].id) == text(id)) return;
  }
}

TokenId Vocabulary::find(std::string_view wanted) const {
  if (slots_.empty()) return no_token;
  const std::uint64_t hash = hash_bytes(wanted);
  const auto tag = static_cast<std::uint32_t>(hash >> 32);
  for (std::size_t i = hash & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
    const Slot& s = slots_[i];
    if (s.id == no_token) return no_token;
    if (s.tag == tag && text(s.id) == wanted) return s.id;
  }
}

}  // namespace rung

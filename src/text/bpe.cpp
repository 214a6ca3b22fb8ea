#include "text/bpe.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/error.h"
#include "base/utf8.h"
#include "text/hash.h"

namespace rung {
namespace {

constexpr std::string_view marked_space = "\xe2\x96\x81";  // "▁", how SentencePiece writes a space
constexpr std::size_t short_symbols = 32;  // up to here looking at every pair again is faster than a heap
constexpr std::uint32_t no_symbol = ~std::uint32_t{0};

}  // namespace

std::size_t MergeTable::slot(TokenId left, TokenId right) const {
  const std::uint64_t key = std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
  return mix(key) & (entries_.size() - 1);
}

void MergeTable::reserve(std::size_t merges) { entries_.assign(std::bit_ceil(2 * merges + 2), Entry{}); }

void MergeTable::set(TokenId left, TokenId right, Merge merge) {
  std::size_t i = slot(left, right);
  while (entries_[i].left != no_token && !(entries_[i].left == left && entries_[i].right == right)) {
    i = (i + 1) & (entries_.size() - 1);
  }
  entries_[i] = {left, right, merge};
}

Bpe::Bpe(Vocabulary vocabulary, MergeTable merges, Units units, const BpeOptions& options)
    : vocabulary_(std::move(vocabulary)), merges_(std::move(merges)), units_(units), options_(options) {
  prepare();
}

Bpe::Bpe(Vocabulary vocabulary, std::vector<std::uint32_t> ranks, std::vector<TokenId> unused,
         const BpeOptions& options)
    : vocabulary_(std::move(vocabulary)),
      ranks_(std::move(ranks)),
      unused_(std::move(unused)),
      units_(Units::characters),
      options_(options) {
  prepare();
}

void Bpe::prepare() {
  bool all_bytes = true;
  for (unsigned b = 0; b < 256; ++b) {
    byte_tokens_[b] = options_.byte_fallback ? vocabulary_.find(fmt::format("<0x{:02X}>", b)) : no_token;
    all_bytes = all_bytes && byte_tokens_[b] != no_token;
  }
  for (unsigned b = 0; b < (units_ == Units::bytes ? 256 : 128); ++b) {
    const char byte = static_cast<char>(b);
    initials_[b] = initial({&byte, 1});
  }
  // Text without other word boundaries (Gemma's, Llama 2's) is one long word. No token spans a place where no token has
  // these two neighbours inside, so the word can be cut there: its parts are short, and most have been met before.
  // (What an unused token falls apart into depends on the whole word.)
  splits_ = units_ == Units::characters && !options_.ignore_merges && (all_bytes || !options_.fuse_unknown) &&
            std::none_of(unused_.begin(), unused_.end(), [this](TokenId id) { return is_step(id); });
  if (!splits_) return;
  for (std::size_t id = 0; id < vocabulary_.end_id(); ++id) {
    if (!vocabulary_.has(static_cast<TokenId>(id))) continue;
    const std::string_view text = vocabulary_.text(static_cast<TokenId>(id));
    for (std::size_t i = text.find(marked_space, 1); i < text.size(); i = text.find(marked_space, i + 1)) {
      joins_space_[static_cast<unsigned char>(text[i - 1])] = true;
    }
  }
}

Bpe::Initial Bpe::initial(std::string_view character) const {
  Initial out;
  out.id = vocabulary_.find(character);
  if (out.id != no_token || !options_.byte_fallback) return out;
  for (const char c : character) out.bytes[out.count++] = byte_tokens_[static_cast<unsigned char>(c)];
  if (std::find(out.bytes.begin(), out.bytes.begin() + out.count, no_token) != out.bytes.begin() + out.count) {
    out.count = 0;
  }
  return out;
}

// The characters of a word as tokens. An unknown token is held back until the next known character: so it is in the
// official implementation, where byte tokens in between come before it.
void Bpe::start(std::string_view word, std::vector<TokenId>& symbols) const {
  symbols.clear();
  bool unknown = false;
  for (std::size_t i = 0, length = 1; i < word.size(); i += length) {
    const auto first = static_cast<unsigned char>(word[i]);
    length = units_ == Units::bytes ? 1 : utf8_length(word[i]);
    const bool known_unit = units_ == Units::bytes || length == 1;
    const Initial unit = known_unit ? initials_[first] : initial(word.substr(i, length));
    if (unit.id != no_token) {
      if (unknown) symbols.push_back(options_.unknown);
      unknown = false;
      symbols.push_back(unit.id);
    } else if (unit.count > 0) {
      symbols.insert(symbols.end(), unit.bytes.begin(), unit.bytes.begin() + unit.count);
    } else if (options_.unknown != no_token) {
      if (unknown && !options_.fuse_unknown) symbols.push_back(options_.unknown);
      unknown = true;
    }
  }
  if (unknown) symbols.push_back(options_.unknown);
}

Merge Bpe::merge(TokenId left, TokenId right) const {
  if (ranks_.empty()) return merges_.find(left, right);
  const std::string_view a = vocabulary_.text(left), b = vocabulary_.text(right);
  std::array<char, 256> joined;
  if (a.size() + b.size() > joined.size()) return {};
  std::memcpy(joined.data(), a.data(), a.size());
  std::memcpy(joined.data() + a.size(), b.data(), b.size());
  const TokenId id = vocabulary_.find({joined.data(), a.size() + b.size()});
  if (id == no_token || ranks_[static_cast<std::size_t>(id)] == never) return {};
  return {ranks_[static_cast<std::size_t>(id)], id};
}

bool Bpe::is_unused(TokenId id) const { return std::binary_search(unused_.begin(), unused_.end(), id); }

// Whether some two tokens spell this one. (No two spell the "[PAD32000]" that fill vocabularies up.)
bool Bpe::is_step(TokenId id) const {
  const std::string_view text = vocabulary_.text(id);
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (vocabulary_.find(text.substr(0, i)) != no_token && vocabulary_.find(text.substr(i)) != no_token) return true;
  }
  return false;
}

Merge Bpe::meet(TokenId left, TokenId right, Scratch& scratch) const {
  const Merge m = merge(left, right);
  if (!unused_.empty() && is_unused(m.result)) scratch.came_from[m.result] = {left, right};
  return m;
}

void Bpe::take_apart(std::vector<TokenId>& symbols, const Scratch& scratch) const {
  if (scratch.came_from.empty()) return;
  std::vector<TokenId> left(symbols.rbegin(), symbols.rend());
  symbols.clear();
  while (!left.empty()) {
    const TokenId id = left.back();
    left.pop_back();
    if (const auto found = scratch.came_from.find(id); found != scratch.came_from.end()) {
      left.push_back(found->second.second);
      left.push_back(found->second.first);
    } else {
      symbols.push_back(id);
    }
  }
}

// The length of the first part of a word that can be encoded by itself.
std::size_t Bpe::part(std::string_view word) const {
  for (std::size_t i = word.find(marked_space, 1); i < word.size(); i = word.find(marked_space, i + 1)) {
    if (!joins_space_[static_cast<unsigned char>(word[i - 1])]) return i;
  }
  return word.size();
}

void Bpe::encode(std::string_view word, std::vector<TokenId>& out, Scratch& scratch, std::vector<Step>* steps) const {
  while (!word.empty()) {
    const std::size_t length = splits_ ? part(word) : word.size();
    encode_whole(word.substr(0, length), out, scratch, steps);
    word.remove_prefix(length);
  }
}

// word → ids. Words repeat, so what was merged once is remembered.
void Bpe::encode_whole(std::string_view word, std::vector<TokenId>& out, Scratch& scratch,
                       std::vector<Step>* steps) const {
  const bool cached = word.size() <= Scratch::max_word_bytes && steps == nullptr;
  const std::uint64_t hash = cached ? hash_bytes(word) : 0;
  if (cached) {
    if (const Scratch::Entry* entry = scratch.find(hash, word)) {
      const auto ids = scratch.ids(*entry);
      out.insert(out.end(), ids.begin(), ids.end());
      return;
    }
  }
  std::vector<TokenId>& symbols = scratch.symbols;
  const TokenId whole = options_.ignore_merges ? vocabulary_.find(word) : no_token;
  if (whole != no_token) {
    symbols.assign(1, whole);
  } else {
    start(word, symbols);
    scratch.came_from.clear();
    if (symbols.size() <= short_symbols) {
      merge_short(symbols, scratch, steps);
    } else {
      merge_long(symbols, scratch, steps);
    }
    take_apart(symbols, scratch);
  }
  out.insert(out.end(), symbols.begin(), symbols.end());
  if (cached) scratch.remember(hash, word, symbols);
}

// Byte-pair encoding as it is told: of all neighbours, join the pair whose merge was learned first (the lowest rank);
// again and again, until no neighbours have a merge.  (Sennrich et al. 2016, arXiv:1508.07909)
//
//   l o w e r     ranks: (e,r) 0, (l,o) 1, (lo,w) 2, (low,er) 3
//   l o w er      (e,r) has the lowest rank
//   lo w er       (l,o)
//   low er        (lo,w)
//   lower         (low,er)
//
// Of equal ranks the leftmost goes first, as in the official implementations. A join changes two pairs only: those of
// the new symbol with its neighbours.
void Bpe::merge_short(std::vector<TokenId>& symbols, Scratch& scratch, std::vector<Step>* steps) const {
  std::vector<Merge>& pairs = scratch.pairs;  // pairs[i]: of symbols i and i + 1
  pairs.clear();
  for (std::size_t i = 1; i < symbols.size(); ++i) pairs.push_back(meet(symbols[i - 1], symbols[i], scratch));
  while (!pairs.empty()) {
    const auto best =
        std::min_element(pairs.begin(), pairs.end(), [](const Merge& a, const Merge& b) { return a.rank < b.rank; });
    if (best->result == no_token) return;
    const auto i = static_cast<std::size_t>(best - pairs.begin());
    if (steps != nullptr) steps->push_back({symbols[i], symbols[i + 1], best->rank});
    symbols[i] = best->result;
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    pairs.erase(best);
    if (i > 0) pairs[i - 1] = meet(symbols[i - 1], symbols[i], scratch);
    if (i < pairs.size()) pairs[i] = meet(symbols[i], symbols[i + 1], scratch);
  }
}

// The same with a heap of candidates and a linked list of symbols: n log n. A candidate is stale when one of its
// symbols has changed since: then the pair at its place has another result.
void Bpe::merge_long(std::vector<TokenId>& symbols, Scratch& scratch, std::vector<Step>* steps) const {
  const auto size = static_cast<std::uint32_t>(symbols.size());
  auto& heap = scratch.heap;
  const auto later = [](const Scratch::Candidate& a, const Scratch::Candidate& b) {
    return a.rank != b.rank ? a.rank > b.rank : a.position > b.position;
  };
  const auto candidate = [&](std::uint32_t left, std::uint32_t right) {
    const Merge m = meet(symbols[left], symbols[right], scratch);
    return Scratch::Candidate{m.rank, left, m.result};
  };
  heap.clear();
  scratch.previous.resize(size);
  scratch.next.resize(size);
  for (std::uint32_t i = 0; i < size; ++i) {
    scratch.previous[i] = i == 0 ? no_symbol : i - 1;
    scratch.next[i] = i + 1 == size ? no_symbol : i + 1;
    if (i + 1 == size) break;
    if (const auto c = candidate(i, i + 1); c.result != no_token) heap.push_back(c);
  }
  std::make_heap(heap.begin(), heap.end(), later);
  const auto consider = [&](std::uint32_t left, std::uint32_t right) {
    if (left == no_symbol || right == no_symbol) return;
    if (const auto c = candidate(left, right); c.result != no_token) {
      heap.push_back(c);
      std::push_heap(heap.begin(), heap.end(), later);
    }
  };
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), later);
    const Scratch::Candidate top = heap.back();
    heap.pop_back();
    const std::uint32_t left = top.position, right = scratch.next[left];
    if (symbols[left] == no_token || right == no_symbol) continue;
    if (merge(symbols[left], symbols[right]).result != top.result) continue;
    if (steps != nullptr) steps->push_back({symbols[left], symbols[right], top.rank});
    symbols[left] = top.result;
    symbols[right] = no_token;
    scratch.next[left] = scratch.next[right];
    if (scratch.next[left] != no_symbol) scratch.previous[scratch.next[left]] = left;
    consider(scratch.previous[left], left);
    consider(left, scratch.next[left]);
  }
  std::erase(symbols, no_token);
}

const Bpe::Scratch::Entry* Bpe::Scratch::find(std::uint64_t hash, std::string_view word) const {
  for (std::size_t i = hash & (entries_.size() - 1); entries_[i].length != 0; i = (i + 1) & (entries_.size() - 1)) {
    const Entry& e = entries_[i];
    if (e.hash == hash && e.length == word.size() &&
        std::memcmp(words_.data() + e.word, word.data(), word.size()) == 0) {
      return &e;
    }
  }
  return nullptr;
}

void Bpe::Scratch::remember(std::uint64_t hash, std::string_view word, std::span<const TokenId> ids) {
  // About 10 MB. Then everything is forgotten, which is cheaper than to keep track of what is old.
  constexpr std::size_t max_words = 1 << 17;
  const auto place = [this](const Entry& e) {
    std::size_t i = e.hash & (entries_.size() - 1);
    while (entries_[i].length != 0) i = (i + 1) & (entries_.size() - 1);
    entries_[i] = e;
  };
  if (count_ == max_words) {
    std::fill(entries_.begin(), entries_.end(), Entry{});
    count_ = 0;
    words_.clear();
    ids_.clear();
  }
  if (2 * ++count_ > entries_.size()) {
    std::vector<Entry> old(2 * entries_.size());
    std::swap(old, entries_);
    for (const Entry& e : old) {
      if (e.length != 0) place(e);
    }
  }
  place({hash, static_cast<std::uint32_t>(words_.size()), static_cast<std::uint32_t>(ids_.size()),
         static_cast<std::uint16_t>(word.size()), static_cast<std::uint16_t>(ids.size())});
  words_.append(word);
  ids_.insert(ids_.end(), ids.begin(), ids.end());
}

}  // namespace rung

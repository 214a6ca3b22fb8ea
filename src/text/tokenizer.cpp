#include "text/tokenizer.h"

#include <algorithm>
#include <string>

#include "base/error.h"
#include "base/utf8.h"
#include "text/byte_alphabet.h"
#include "text/tokenizer_impl.h"

namespace rung {
namespace {

using Ranges = std::vector<ByteRange>;

// The first that ends behind `at` and is not empty.
Ranges::const_iterator first_behind(const Ranges& ranges, std::size_t at) {
  auto r = std::upper_bound(ranges.begin(), ranges.end(), at,
                            [](std::size_t b, const ByteRange& range) { return b < range.end; });
  while (r != ranges.end() && r->begin == r->end) ++r;
  return r;
}

bool touches(ByteRange match, const Ranges& ranges) {
  const auto r = first_behind(ranges, match.begin);
  return r != ranges.end() && r->begin < match.end;
}

bool inside(ByteRange match, const Ranges& ranges) {
  const auto r = first_behind(ranges, match.begin);
  return r != ranges.end() && r->begin <= match.begin && match.end <= r->end;
}

// Whether a token may not be found where `near(ranges)` says that it meets what somebody wrote.
template <class Near>
bool refused(const AddedToken& token, const Untrusted& untrusted, const Ranges& typed, const Ranges& spoken,
             Near near) {
  return untrusted.forbidden.contains(token.id) && (near(typed) || (token.special && near(spoken)));
}

// Cuts a text at its added tokens. `allowed` may refuse a match; plain(begin, end) and token(added) are called from
// left to right.
template <class Allowed, class Plain, class Found>
void split_at_tokens(std::string_view text, const TokenTrie& trie, const std::vector<AddedToken>& tokens,
                     Allowed allowed, Plain plain, Found found) {
  const KindSet words = plain_word_kinds(), spaces = space_kinds();
  std::size_t done = 0, from = 0;
  while (const auto match =
             trie.find(text, from, [&](const TokenTrie::Match& m) { return allowed(m.range, tokens[m.value]); })) {
    const AddedToken& token = tokens[match->value];
    auto [begin, end] = match->range;
    from = end;
    const auto is = [&](KindSet set, const char* p) { return contains(set, decode_utf8(p)); };
    const auto at = [&](std::size_t i) { return text.data() + i; };
    if (token.single_word &&
        ((begin > 0 && is(words, previous_utf8(at(begin)))) || (end < text.size() && is(words, at(end))))) {
      continue;
    }
    while (token.lstrip && begin > done && is(spaces, previous_utf8(at(begin)))) {
      begin = static_cast<std::size_t>(previous_utf8(at(begin)) - text.data());
    }
    while (token.rstrip && end < text.size() && is(spaces, at(end))) end += utf8_length(text[end]);
    if (done < begin) plain(done, begin);
    found(token);
    done = end;
  }
  if (done < text.size()) plain(done, text.size());
}

// The official library is given text that is valid by its type; ours is refused where it is not.
void check_utf8(std::string_view text) {
  const auto bad = find_invalid_utf8(text);
  if (bad) fail("text: byte {} (0x{:02x}) is no valid UTF-8", *bad, static_cast<unsigned char>(text[*bad]));
}

}  // namespace

void add_spelled(TokenizerParts& parts, Vocabulary& vocabulary, TokenId id, std::string_view spelled, bool findable) {
  std::string bytes;
  if (!parts.raw || append_unspelled(bytes, spelled)) {
    return vocabulary.add(id, parts.raw ? std::string_view(bytes) : spelled, findable);
  }
  vocabulary.add(id, spelled, false);
  parts.literal.insert(std::upper_bound(parts.literal.begin(), parts.literal.end(), id), id);
}

TokenId find_spelled(const TokenizerParts& parts, const Vocabulary& vocabulary, std::string_view spelled) {
  std::string bytes;
  if (!parts.raw) return vocabulary.find(spelled);
  if (append_unspelled(bytes, spelled)) return vocabulary.find(bytes);
  for (const TokenId id : parts.literal) {
    if (vocabulary.text(id) == spelled) return id;
  }
  return no_token;
}

Tokenizer::Impl::Impl(TokenizerParts p) : parts(std::move(p)) {
  for (std::size_t i = 0; i < parts.added.size(); ++i) {
    const AddedToken& token = parts.added[i];
    added_by_id.emplace(token.id, i);  // of two spellings of a token the first is its own
    spellings.add(token.content, static_cast<std::uint32_t>(i));
    if (token.normalized) {
      normalized.add(parts.normalizer(token.content), static_cast<std::uint32_t>(i));
    } else {
      exact.add(token.content, static_cast<std::uint32_t>(i));
    }
  }
}

void Tokenizer::Impl::encode(std::string_view text, const Job& job) const {
  if (job.untrusted == nullptr) return encode_segment(text, 0, job);
  const auto segment = [&](std::size_t begin, std::size_t end) {
    const std::string_view part = text.substr(begin, end - begin);
    const auto encode_part = [&](std::string_view behind, std::size_t put_in_front, const Job& j) {
      encode_segment(behind, begin - put_in_front, j);
    };
    begin == 0 ? encode_part(part, 0, job) : encode_behind_newline(part, job, encode_part);
  };
  std::size_t done = 0;
  for (const Cut& cut : cuts(text, *job.untrusted)) {
    segment(done, cut.range.begin);
    done = cut.range.end;
    if (cut.ids != nullptr) {
      job.out.insert(job.out.end(), cut.ids->begin(), cut.ids->end());
      continue;
    }
    const auto as_text = [&](std::string_view part, std::size_t, const Job& j) {
      encode_words(parts.normalizer.empty() ? part : parts.normalizer(part), true, j);
    };
    encode_behind_newline(text.substr(cut.range.begin, done - cut.range.begin), job, as_text);
  }
  segment(done, text.size());
}

// What stands in the middle of a text is encoded behind a newline, whose ids are taken away again: so nothing comes in
// front of it that belongs to a text's beginning. The official library does just this (transformers'
// encode_marked_chat). encode(text, bytes that were put in front, job).
template <class Encode>
void Tokenizer::Impl::encode_behind_newline(std::string_view text, const Job& job, Encode encode) const {
  if (text.empty()) return;
  std::vector<TokenId> newline, ids;
  encode("\n", 1, Job{newline, nullptr, job.untrusted, job.scratch});
  std::string behind_newline("\n");
  behind_newline += text;
  encode(behind_newline, 1, Job{ids, nullptr, job.untrusted, job.scratch});
  const auto [rest, differs] = std::mismatch(ids.begin(), ids.end(), newline.begin(), newline.end());
  if (differs != newline.end()) return encode(text, 0, job);
  job.out.insert(job.out.end(), rest, ids.end());
}

// The official library, too, encodes a control token that somebody typed apart from what is around it.
std::vector<Tokenizer::Impl::Cut> Tokenizer::Impl::cuts(std::string_view text, const Untrusted& untrusted) const {
  std::vector<Cut> out;
  std::size_t at = 0;
  const auto typed_tokens = [&](std::size_t end) {
    const auto typed = [&](const TokenTrie::Match& match) {
      return match.range.end <= end && refused(parts.added[match.value], untrusted, untrusted.typed, untrusted.spoken,
                                               [&](const Ranges& ranges) { return inside(match.range, ranges); });
    };
    while (const auto match = spellings.find(text.substr(0, end), at, typed)) {
      out.push_back({match->range, nullptr});
      at = match->range.end;
    }
  };
  for (const Untrusted::Known& known : untrusted.known) {
    typed_tokens(known.range.begin);
    out.push_back({known.range, &known.ids});
    at = known.range.end;
  }
  typed_tokens(text.size());
  return out;
}

void Tokenizer::Impl::encode_segment(std::string_view text, std::size_t offset, const Job& job) const {
  const auto allowed = [&](ByteRange range, const AddedToken& token) {
    const auto near = [&](const Ranges& ranges) { return touches({range.begin + offset, range.end + offset}, ranges); };
    return job.untrusted == nullptr ||
           !refused(token, *job.untrusted, job.untrusted->typed, job.untrusted->spoken, near);
  };
  split_at_tokens(
      text, exact, parts.added, allowed,
      [&](std::size_t begin, std::size_t end) {
        encode_plain(text.substr(begin, end - begin), offset + begin, begin == 0, job);
      },
      [&](const AddedToken& token) { job.out.push_back(token.id); });
}

void Tokenizer::Impl::encode_plain(std::string_view text, std::size_t offset, bool at_start, const Job& job) const {
  std::string normal;
  if (!parts.normalizer.empty()) normal = parts.normalizer(text);
  const std::string_view now = parts.normalizer.empty() ? text : normal;
  if (normalized.empty()) return encode_words(now, at_start, job);
  Ranges typed, spoken;
  if (job.untrusted != nullptr) typed = after_normalizing(job.untrusted->typed, text, offset, now);
  if (job.untrusted != nullptr) spoken = after_normalizing(job.untrusted->spoken, text, offset, now);
  split_at_tokens(
      now, normalized, parts.added,
      [&](ByteRange range, const AddedToken& token) {
        const auto near = [&](const Ranges& ranges) { return touches(range, ranges); };
        return job.untrusted == nullptr || !refused(token, *job.untrusted, typed, spoken, near);
      },
      [&](std::size_t begin, std::size_t end) {
        encode_words(now.substr(begin, end - begin), at_start && begin == 0, job);
      },
      [&](const AddedToken& token) { job.out.push_back(token.id); });
}

// Where ranges of the whole lie in a segment's normalized text: each run is normalized alone. If the runs then do not
// add up to the whole (a character was composed across a seam, something was put in front), all of it counts.
std::vector<ByteRange> Tokenizer::Impl::after_normalizing(const std::vector<ByteRange>& ranges, std::string_view text,
                                                          std::size_t offset, std::string_view normal) const {
  std::vector<ByteRange> out;
  std::string joined;
  std::size_t done = 0;
  const auto take = [&](std::size_t end) {
    const std::size_t begin = joined.size();
    joined += parts.normalizer(text.substr(done, end - done));
    done = end;
    return ByteRange{begin, joined.size()};
  };
  for (const ByteRange& r : ranges) {
    const std::size_t begin = std::max(r.begin, offset), end = std::min(r.end, offset + text.size());
    if (begin >= end) continue;
    take(begin - offset);
    out.push_back(take(end - offset));
  }
  if (out.empty()) return out;
  take(text.size());
  if (joined != normal) return {{0, normal.size()}};
  return out;
}

void Tokenizer::Impl::encode_words(std::string_view text, bool at_start, const Job& job) const {
  parts.pre_tokenizer.split(text, at_start, job.scratch.pre_tokenizer, [&](std::string_view word) {
    parts.model->encode(word, job.out, job.scratch.bpe, job.steps);
  });
}

const AddedToken* Tokenizer::Impl::added(TokenId id) const {
  const auto found = added_by_id.find(id);
  return found == added_by_id.end() ? nullptr : &parts.added[found->second];
}

bool Tokenizer::Impl::has(TokenId id) const { return added(id) != nullptr || parts.model->vocabulary().has(id); }

std::string Tokenizer::Impl::spelling(TokenId id) const {
  if (const AddedToken* token = added(id)) return token->normalized ? parts.normalizer(token->content) : token->content;
  const std::string_view text = parts.model->vocabulary().text(id);
  const bool spelled = !parts.raw || std::binary_search(parts.literal.begin(), parts.literal.end(), id);
  return spelled ? std::string(text) : spell_bytes(text);
}

// A special token that is shown normalized counts as special only if that text is a special token's: so says the
// official decoder.
bool Tokenizer::Impl::hidden(const AddedToken& token) const {
  if (!token.normalized) return token.special;
  const std::string shown = parts.normalizer(token.content);
  return std::any_of(parts.added.begin(), parts.added.end(),
                     [&](const AddedToken& t) { return t.special && t.content == shown; });
}

std::unique_ptr<Tokenizer::Impl::Scratch> Tokenizer::Impl::borrow() const {
  const std::lock_guard lock(mutex);
  if (idle.empty()) return std::make_unique<Scratch>();
  auto scratch = std::move(idle.back());
  idle.pop_back();
  return scratch;
}

void Tokenizer::Impl::give_back(std::unique_ptr<Scratch> scratch) const {
  const std::lock_guard lock(mutex);
  idle.push_back(std::move(scratch));
}

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

std::vector<TokenId> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  check_utf8(text);
  std::vector<TokenId> ids;
  if (options.add_special) ids = impl_->parts.before;
  auto scratch = impl_->borrow();
  impl_->encode(text, {ids, nullptr, options.untrusted, *scratch});
  impl_->give_back(std::move(scratch));
  if (options.add_special) ids.insert(ids.end(), impl_->parts.after.begin(), impl_->parts.after.end());
  return ids;
}

std::vector<MergeStep> Tokenizer::explain(std::string_view text) const {
  check_utf8(text);
  std::vector<TokenId> ids;
  std::vector<Bpe::Step> steps;
  Impl::Scratch scratch;
  impl_->encode(text, {ids, &steps, nullptr, scratch});
  std::vector<MergeStep> out;
  for (const Bpe::Step& s : steps) out.push_back({impl_->spelling(s.left), impl_->spelling(s.right), s.rank});
  return out;
}

std::string Tokenizer::decode(std::span<const TokenId> ids, bool skip_special) const {
  std::string out;
  Stream stream(*this, skip_special);
  for (const TokenId id : ids) out += stream.push(id);
  return out + stream.finish();
}

std::size_t Tokenizer::vocab_size() const {
  std::size_t size = impl_->parts.model->vocabulary().end_id();
  if (!impl_->added_by_id.empty()) {
    size = std::max(size, static_cast<std::size_t>(impl_->added_by_id.rbegin()->first) + 1);
  }
  return size;
}

std::string Tokenizer::piece(TokenId id) const {
  if (!impl_->has(id)) return "";
  if (const AddedToken* token = impl_->added(id)) return token->content;
  const auto& parts = impl_->parts;
  std::string text(parts.model->vocabulary().text(id));
  for (const DecoderStep& step : parts.decoder.steps()) {
    const auto byte = byte_token_value(text);
    if (std::holds_alternative<DecodeByteFallback>(step) && byte) return std::string(1, static_cast<char>(*byte));
    if (const auto* replace = std::get_if<DecodeReplace>(&step)) {
      text = replace->pattern.replace_all(text, replace->content);
    }
    if (const auto* metaspace = std::get_if<DecodeMetaspace>(&step)) {
      std::string mark;
      append_utf8(mark, metaspace->replacement);
      text = Pattern::literal(mark).replace_all(text, " ");
    }
  }
  return text;
}

std::optional<TokenId> Tokenizer::id_of(std::string_view token) const {
  for (const AddedToken& added : impl_->parts.added) {
    if (added.content == token) return added.id;
  }
  if (find_invalid_utf8(token)) return std::nullopt;
  const TokenId id = find_spelled(impl_->parts, impl_->parts.model->vocabulary(), token);
  return id == no_token ? std::nullopt : std::optional{id};
}

bool Tokenizer::is_added(TokenId id) const { return impl_->added(id) != nullptr; }
bool Tokenizer::is_special(TokenId id) const { return is_added(id) && impl_->added(id)->special; }

std::vector<TokenId> Tokenizer::added_tokens() const {
  std::vector<TokenId> ids;
  for (const auto& [id, index] : impl_->added_by_id) ids.push_back(id);
  return ids;
}

std::optional<TokenId> Tokenizer::bos() const {
  return impl_->parts.bos == no_token ? std::nullopt : std::optional{impl_->parts.bos};
}
std::optional<TokenId> Tokenizer::eos() const {
  return impl_->parts.eos == no_token ? std::nullopt : std::optional{impl_->parts.eos};
}
bool Tokenizer::adds_bos() const {
  return bos() && !impl_->parts.before.empty() && impl_->parts.before.front() == *bos();
}
std::string Tokenizer::summary() const { return fmt::format("{}, {} tokens", impl_->parts.description, vocab_size()); }

struct Tokenizer::Stream::State {
  const Impl& impl;
  bool skip_special;
  Decoder::Stream decoder;
};

Tokenizer::Stream::Stream(const Tokenizer& tokenizer, bool skip_special, std::span<const TokenId> before)
    : state_(std::make_unique<State>(
          State{*tokenizer.impl_, skip_special, Decoder::Stream(tokenizer.impl_->parts.decoder)})) {
  const auto is_shown = [&](TokenId id) {
    const AddedToken* added = state_->impl.added(id);
    return added == nullptr || !skip_special || !state_->impl.hidden(*added);
  };
  if (std::any_of(before.begin(), before.end(), is_shown)) state_->decoder.go_on();
}
Tokenizer::Stream::~Stream() = default;
Tokenizer::Stream::Stream(Stream&&) noexcept = default;

std::string Tokenizer::Stream::push(TokenId id) {
  const Impl& impl = state_->impl;
  const AddedToken* added = impl.added(id);
  std::string out;
  if (!impl.has(id)) return out;
  if (added != nullptr && state_->skip_special && impl.hidden(*added)) return out;
  const auto& steps = impl.parts.decoder.steps();
  if (added == nullptr && impl.parts.raw && !steps.empty() && std::holds_alternative<DecodeByteLevel>(steps.front())) {
    state_->decoder.push(impl.parts.model->vocabulary().text(id), true, out);
  } else {
    state_->decoder.push(impl.spelling(id), false, out);
  }
  return out;
}

std::string Tokenizer::Stream::finish() {
  std::string out;
  state_->decoder.finish(out);
  return out;
}

}  // namespace rung

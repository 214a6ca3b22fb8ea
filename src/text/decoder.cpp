#include "text/decoder.h"

#include "text/byte_alphabet.h"

namespace rung {
namespace {

std::string strip(const DecodeStrip& s, std::size_t stripped, std::string_view token) {
  std::string character;
  append_utf8(character, s.character);
  for (std::size_t i = stripped; i < s.start && token.starts_with(character); ++i)
    token.remove_prefix(character.size());
  for (std::size_t i = 0; i < s.stop && token.ends_with(character); ++i) token.remove_suffix(character.size());
  return std::string(token);
}

std::string unmark(const DecodeMetaspace& m, std::string_view token, bool first) {
  std::string mark;
  append_utf8(mark, m.replacement);
  return Pattern::literal(mark).replace_all(token, first && m.drop_first ? "" : " ");
}

}  // namespace

std::optional<unsigned char> byte_token_value(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') return std::nullopt;
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
  };
  const int high = digit(token[3]), low = digit(token[4]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<unsigned char>(high * 16 + low);
}

// A step that joins its tokens into one can let them pass as they come if what follows treats the start of that one
// token alike.
Decoder::Stream::Stream(const Decoder& decoder) : decoder_(decoder), states_(decoder.steps_.size()) {
  bool passes = true;
  for (std::size_t i = states_.size(); i-- > 0;) {
    const DecoderStep& step = decoder.steps_[i];
    states_[i].streaming = passes;
    const auto* s = std::get_if<DecodeStrip>(&step);
    passes = passes && s != nullptr && s->stop == 0;
  }
  bool joined = false;  // Strip passes pieces only of a token that was joined
  for (std::size_t i = 0; i < states_.size(); ++i) {
    const DecoderStep& step = decoder.steps_[i];
    if (std::holds_alternative<DecodeStrip>(step)) {
      states_[i].streaming = joined;
    } else {
      joined = states_[i].streaming &&
               (std::holds_alternative<DecodeFuse>(step) || std::holds_alternative<DecodeByteLevel>(step));
    }
  }
}

void Decoder::Stream::push(std::string_view token, bool raw, std::string& out) {
  std::string text;
  if (!raw) {
    feed(0, token, text);
  } else {
    State& state = states_[0];
    std::string whole;
    state.lossy.push(token, state.streaming ? whole : state.held);
    if (!whole.empty()) feed(1, whole, text);
  }
  lossy_.push(text, out);
}

void Decoder::Stream::go_on() {
  bool joined = false;  // what a Strip sees is one token, which began before
  for (std::size_t i = 0; i < states_.size(); ++i) {
    const DecoderStep& step = decoder_.steps_[i];
    states_[i].started = true;
    const auto* s = std::get_if<DecodeStrip>(&step);
    if (s != nullptr && joined) states_[i].stripped = s->start;
    joined = joined || std::holds_alternative<DecodeFuse>(step) || std::holds_alternative<DecodeByteLevel>(step);
  }
}

void Decoder::Stream::finish(std::string& out) {
  std::string text;
  flush(0, text);
  lossy_.push(text, out);
  lossy_.finish(out);
}

void Decoder::Stream::feed(std::size_t i, std::string_view token, std::string& out) {
  if (i == states_.size()) {
    out.append(token);
    return;
  }
  State& state = states_[i];
  const DecoderStep& step = decoder_.steps_[i];
  const bool first = !std::exchange(state.started, true);
  if (std::holds_alternative<DecodeByteLevel>(step)) {
    std::string bytes, whole;
    if (!append_unspelled(bytes, token)) bytes = token;
    state.lossy.push(bytes, state.streaming ? whole : state.held);
    if (!whole.empty()) feed(i + 1, whole, out);
  } else if (std::holds_alternative<DecodeByteFallback>(step)) {
    feed_byte(i, token, out);
  } else if (std::holds_alternative<DecodeFuse>(step)) {
    if (state.streaming) return feed(i + 1, token, out);
    state.held += token;
  } else if (const auto* replace = std::get_if<DecodeReplace>(&step)) {
    feed(i + 1, replace->pattern.replace_all(token, replace->content), out);
  } else if (const auto* s = std::get_if<DecodeStrip>(&step)) {
    state.streaming ? strip_start(i, *s, token, out) : feed(i + 1, strip(*s, state.stripped, token), out);
  } else if (const auto* metaspace = std::get_if<DecodeMetaspace>(&step)) {
    feed(i + 1, unmark(*metaspace, token, first), out);
  } else {
    feed(i + 1, first ? std::string(token) : std::string(" ").append(token), out);
  }
}

void Decoder::Stream::feed_byte(std::size_t i, std::string_view token, std::string& out) {
  State& state = states_[i];
  if (const auto byte = byte_token_value(token)) {
    state.held.push_back(static_cast<char>(*byte));
    return;
  }
  const std::string held = std::exchange(state.held, {});
  if (!held.empty() && !find_invalid_utf8(held)) {
    feed(i + 1, held, out);
  } else {
    for (std::size_t k = 0; k < held.size(); ++k) feed(i + 1, "\xef\xbf\xbd", out);
  }
  if (!token.empty()) feed(i + 1, token, out);
}

void Decoder::Stream::strip_start(std::size_t i, const DecodeStrip& s, std::string_view token, std::string& out) {
  State& state = states_[i];
  std::string character;
  append_utf8(character, s.character);
  while (state.stripped < s.start && token.starts_with(character)) {
    token.remove_prefix(character.size());
    ++state.stripped;
  }
  if (token.empty()) return;
  state.stripped = s.start;
  feed(i + 1, token, out);
}

void Decoder::Stream::flush(std::size_t i, std::string& out) {
  if (i == states_.size()) return;
  State& state = states_[i];
  const DecoderStep& step = decoder_.steps_[i];
  if (std::holds_alternative<DecodeByteFallback>(step)) feed_byte(i, "", out);
  if (std::holds_alternative<DecodeByteLevel>(step)) state.lossy.finish(state.held);
  const bool joins = std::holds_alternative<DecodeByteLevel>(step) || std::holds_alternative<DecodeFuse>(step);
  if (joins && !state.held.empty()) feed(i + 1, std::exchange(state.held, {}), out);
  flush(i + 1, out);
}

}  // namespace rung

#include "engine/generate.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/signals.h"

namespace rung {

namespace {

// How many tokens the answer may have; 0: as many as fit.
std::size_t limit_of(const GenerateOptions& options, std::size_t prompt_tokens) {
  constexpr std::size_t kOurs = 256;
  if (options.max_length == 0) return options.max_tokens.value_or(kOurs);
  if (prompt_tokens >= options.max_length) {
    fail("the prompt has {} tokens, expected fewer than max_length, {}", prompt_tokens, options.max_length);
  }
  const std::size_t left = options.max_length - prompt_tokens;
  const std::size_t most = options.max_tokens.value_or(0);
  return most == 0 ? left : std::min(left, most);
}

Sampling sampling_of(const GenerateOptions& options) {
  Sampling sampling = options.sampling.value_or(Sampling{});
  check(sampling);
  if (!sampling.seed) sampling.seed = another_seed();
  return sampling;
}

// A pass's logits; none where Ctrl-C ended it.
template <class Pass>
std::span<const float> logits_of(Pass pass) {
  try {
    return pass();
  } catch (const Interrupted&) {
    return {};
  }
}

std::set<TokenId> added_tokens_of(const std::vector<std::string>& stops, const Tokenizer& tokenizer) {
  std::set<TokenId> ids;
  for (const std::string& stop : stops) {
    if (const auto id = tokenizer.id_of(stop); id && tokenizer.is_added(*id)) ids.insert(*id);
  }
  return ids;
}

}  // namespace

std::string_view name_of(StopReason reason) {
  switch (reason) {
    case StopReason::end_of_text: return "end-of-text";
    case StopReason::stop_string: return "stop-string";
    case StopReason::max_tokens: return "max-tokens";
    case StopReason::context_full: return "context-full";
    case StopReason::interrupted: return "interrupted";
  }
  return "";
}

std::string StopMatcher::push(std::string_view text) {
  held_ += text;
  std::size_t first = std::string::npos;  // of all stops found, the earliest
  for (const std::string& stop : stops_) {
    if (!stop.empty()) first = std::min(first, held_.find(stop));
  }
  if (first != std::string::npos) {
    stopped_ = true;
    return std::exchange(held_, "").substr(0, first);
  }
  std::size_t keep = 0;  // the longest end of the text that begins a stop
  for (const std::string& stop : stops_) {
    for (std::size_t n = std::min(held_.size(), stop.empty() ? 0 : stop.size() - 1); n > keep; --n) {
      if (held_.ends_with(std::string_view(stop).substr(0, n))) keep = n;
    }
  }
  std::string sure = held_.substr(0, held_.size() - keep);
  held_.erase(0, sure.size());
  return sure;
}

std::string StopMatcher::finish() { return std::exchange(held_, ""); }

Generated generate(Session& session, const Tokenizer& tokenizer, std::span<const TokenId> prompt,
                   const GenerateOptions& options, const GenerateCallbacks& callbacks) {
  const Sampling sampling = sampling_of(options);
  Generated result;
  result.seed = *sampling.seed;
  const std::size_t limit = limit_of(options, prompt.size());
  const std::set<TokenId> stop_tokens = added_tokens_of(options.stop, tokenizer);
  Sampler sampler(sampling, options.stop_ids);
  Tokenizer::Stream stream(tokenizer, true, options.continues ? prompt : std::span<const TokenId>{});
  StopMatcher matcher(options.stop);
  const auto give = [&](const std::string& text) {
    result.text += text;
    if (!text.empty() && callbacks.text) callbacks.text(text);
  };

  const Clock::time_point start = Clock::now();
  const auto count = [&](std::size_t done, std::size_t total) {
    result.prefill.tokens = done;
    return !callbacks.prefill || callbacks.prefill(done, total);
  };
  std::span<const float> logits = logits_of([&] { return session.become(prompt, count); });
  result.prefill.seconds = seconds_since(start);

  const Clock::time_point decode_start = Clock::now();
  for (;;) {
    if (logits.empty() || (callbacks.interrupted && callbacks.interrupted())) {
      result.reason = StopReason::interrupted;
      break;
    }
    const bool is_last = limit != 0 && result.ids.size() + 1 == limit;
    const TokenId id = sampler.sample(logits, {session.tokens(), prompt.size(), is_last});
    if (stop_tokens.contains(id) || options.stop_ids.contains(id)) {
      result.reason = stop_tokens.contains(id) ? StopReason::stop_string : StopReason::end_of_text;
      break;
    }
    result.ids.push_back(id);
    if (callbacks.token) callbacks.token(id);
    give(matcher.push(stream.push(id)));
    if (matcher.stopped()) {
      result.reason = StopReason::stop_string;
      break;
    }
    if (result.ids.size() == limit) {
      result.reason = StopReason::max_tokens;
      break;
    }
    if (session.tokens().size() == session.context()) {
      result.reason = StopReason::context_full;
      break;
    }
    logits = logits_of([&] { return session.feed(std::span(&id, 1)); });
    if (!logits.empty()) ++result.decode.tokens;
  }
  if (!matcher.stopped()) {
    give(matcher.push(stream.finish()));
    if (!matcher.stopped()) give(matcher.finish());
  }
  result.decode.seconds = seconds_since(decode_start);
  return result;
}

}  // namespace rung

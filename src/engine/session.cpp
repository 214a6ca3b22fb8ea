#include "engine/session.h"

#include <algorithm>

#include "base/error.h"

namespace rung {

Session::Session(const Model& model, Ops& ops, const SessionOptions& options)
    : model_(model),
      options_(options),
      context_(options.context == 0 ? model.config.context : options.context),
      cache_(kv_shape(model.config, options.cache_type.value_or(ops.cache_type()))),
      forward_(model, ops, context_) {
  if (context_ > model.config.longest_context()) {
    fail("--context is {}, expected at most the model's {}", context_, model.config.longest_context());
  }
  tokens_.reserve(context_);  // addresses only, until they are used
}

std::span<const float> Session::feed(std::span<const std::int32_t> ids, const Progress& progress) {
  if (ids.empty()) fail("the prompt is empty: nothing to continue");
  if (tokens_.size() + ids.size() > context_) {
    fail("the prompt has {} tokens, the context holds {}", tokens_.size() + ids.size(), context_);
  }
  check_ids(ids, model_.config);
  return run(ids, progress);
}

std::span<const float> Session::become(std::span<const std::int32_t> ids, const Progress& progress) {
  const auto differ = std::mismatch(tokens_.begin(), tokens_.end(), ids.begin(), ids.end());
  std::size_t common = static_cast<std::size_t>(differ.second - ids.begin());
  if (common == ids.size() && common > 0) --common;  // the last token is computed anew: its logits are wanted
  rewind(common);
  return feed(ids.subspan(common), progress);
}

void Session::rewind(std::size_t length) {
  tokens_.resize(std::min(length, tokens_.size()));
  cache_.truncate(tokens_.size());
}

// Chunk after chunk. A token is one of the session's when the cache holds its key and value, and not before: whatever
// throws in a pass, or in `progress`, leaves a session that knows what it has.
std::span<const float> Session::run(std::span<const std::int32_t> ids, const Progress& progress) {
  const std::size_t had = tokens_.size(), begin = options_.keep_cache ? had : 0, all = had + ids.size();
  Tensor<float, Tokens, Vocab> logits;
  for (std::size_t at = begin; at < all; at += options_.chunk_tokens) {
    const std::size_t end = std::min(at + options_.chunk_tokens, all), old = std::clamp(had, at, end);
    const auto added = ids.subspan(old - std::min(old, had), end - old);
    batch_.clear();
    batch_.add(std::span(tokens_).subspan(at, old - at), at, cache_, [](std::size_t) { return false; });
    batch_.add(added, old, cache_, [&](std::size_t i) { return old + i + 1 == all; });
    logits = forward_.run(batch_);
    refuse_overflow(logits, cache_);
    tokens_.insert(tokens_.end(), added.begin(), added.end());  // for which there is room
    if (progress && !progress(end - begin, all - begin)) return {};
  }
  return logits.span();
}

}  // namespace rung

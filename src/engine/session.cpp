#include "engine/session.h"

#include <algorithm>

#include "base/error.h"

namespace rung {

Session::Session(const Model& model, Ops& ops, const SessionOptions& options)
    : model_(model),
      options_(options),
      context_(options.context == 0 ? model.config.context : options.context),
      cache_(kv_shape(model.config, options.cache_type.value_or(ops.cache_type()))),
      forward_(model, ops) {
  if (context_ > model.config.context) {
    fail("--context is {}, expected at most the model's {}", context_, model.config.context);
  }
  tokens_.reserve(context_);  // addresses only, until they are used
}

std::span<const float> Session::feed(std::span<const std::int32_t> ids, const Progress& progress) {
  if (ids.empty()) fail("the prompt is empty: nothing to continue");
  if (tokens_.size() + ids.size() > context_) {
    fail("the prompt has {} tokens, the context holds {}", tokens_.size() + ids.size(), context_);
  }
  check_ids(ids, model_.config);
  const std::size_t begin = tokens_.size();
  tokens_.insert(tokens_.end(), ids.begin(), ids.end());
  return run(options_.keep_cache ? begin : 0, progress);
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

std::span<const float> Session::run(std::size_t begin, const Progress& progress) {
  Tensor<float, Tokens, Vocab> logits;
  for (std::size_t at = begin; at < tokens_.size(); at += options_.chunk_tokens) {
    const std::size_t end = std::min(at + options_.chunk_tokens, tokens_.size());
    batch_.clear();
    for (std::size_t i = at; i < end; ++i) {
      batch_.add(tokens_[i], static_cast<std::uint32_t>(i), cache_, i + 1 == tokens_.size());
    }
    logits = forward_.run(batch_);
    if (progress && !progress(end - begin, tokens_.size() - begin)) {
      rewind(end);
      return {};
    }
  }
  return logits.span();
}

}  // namespace rung

// How far one backend's logits are from another's.
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <vector>

#include "engine/device.h"
#include "model/golden_model.h"

namespace rung {

struct Distance {
  double mean_divergence = 0;  // Kullback–Leibler, of the next token's distribution, in nats
  double same_first = 0;       // share of tokens after which both think the same one likeliest
};

inline std::vector<double> log_probabilities(std::span<const float> logits) {
  const double max = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float x : logits) sum += std::exp(static_cast<double>(x) - max);
  std::vector<double> result;
  for (const float x : logits) result.push_back(static_cast<double>(x) - max - std::log(sum));
  return result;
}

// Where a model runs, and what its cache holds.
struct Place {
  const char* device;
  std::optional<DType> cache = {};
};

inline std::vector<float> all_logits(const Model& model, const Place& place, std::span<const std::int32_t> ids) {
  Device device(place.device, 0, place.cache);
  Forward forward(model, device.ops());
  KvCache cache(kv_shape(model.config, device.ops().cache_type()));
  Batch batch;
  for (std::size_t t = 0; t < ids.size(); ++t) batch.add(ids[t], static_cast<std::uint32_t>(t), cache, true);
  const auto logits = forward.run(batch);
  return {logits.span().begin(), logits.span().end()};
}

inline Distance distance(const std::vector<float>& reference, const std::vector<float>& fast, std::size_t vocab) {
  const std::size_t tokens = reference.size() / vocab;
  Distance d;
  for (std::size_t t = 0; t < tokens; ++t) {
    const auto p = log_probabilities(std::span(reference).subspan(t * vocab, vocab));
    const auto q = log_probabilities(std::span(fast).subspan(t * vocab, vocab));
    for (std::size_t v = 0; v < vocab; ++v) d.mean_divergence += std::exp(p[v]) * (p[v] - q[v]);
    d.same_first +=
        std::max_element(p.begin(), p.end()) - p.begin() == std::max_element(q.begin(), q.end()) - q.begin();
  }
  d.mean_divergence /= static_cast<double>(tokens);
  d.same_first /= static_cast<double>(tokens);
  return d;
}

inline Distance distance(const Model& model, std::span<const std::int32_t> ids, const Place& from = {"reference"},
                         const Place& to = {"cpu"}) {
  return distance(all_logits(model, from, ids), all_logits(model, to, ids), model.config.vocab_size);
}

}  // namespace rung

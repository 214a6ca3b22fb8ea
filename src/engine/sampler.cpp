#include "engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "base/error.h"

namespace rung {

namespace {

struct Score {
  std::int32_t id;
  float logit;
};

bool less_likely(const Score& a, const Score& b) { return a.logit < b.logit || (a.logit == b.logit && a.id > b.id); }
bool more_likely(const Score& a, const Score& b) { return less_likely(b, a); }

void penalise(std::vector<Score>& scores, std::span<const std::int32_t> seen, float penalty) {
  std::vector<bool> done(scores.size());
  for (const std::int32_t id : seen) {
    const auto i = static_cast<std::size_t>(id);
    if (i >= scores.size() || done[i]) continue;
    done[i] = true;
    float& logit = scores[i].logit;
    logit = logit < 0 ? logit * penalty : logit / penalty;
  }
}

void keep_top_k(std::vector<Score>& scores, std::size_t k) {
  if (k == 0 || k >= scores.size()) return;
  std::nth_element(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(k - 1), scores.end(), more_likely);
  const float least = scores[k - 1].logit;
  std::erase_if(scores, [&](const Score& s) { return s.logit < least; });
}

double weight(const Score& s, float max) {
  return portable_exp(static_cast<double>(s.logit) - static_cast<double>(max));
}

// A token stays if those likelier than it have less than p together. The likeliest are taken one by one from a heap:
// few are needed.
void keep_top_p(std::vector<Score>& scores, float p, float max) {
  if (p >= 1) return;
  double total = 0;
  for (const Score& s : scores) total += weight(s, max);
  std::make_heap(scores.begin(), scores.end(), less_likely);
  auto end = scores.end();
  for (double mass = 0; end != scores.begin() && (end == scores.end() || mass < static_cast<double>(p) * total);
       --end) {
    mass += weight(scores.front(), max);
    std::pop_heap(scores.begin(), end, less_likely);
  }
  scores.erase(scores.begin(), end);
}

}  // namespace

std::uint64_t another_seed() { return std::random_device{}(); }

void check(const Sampling& s) {
  if (!(s.temperature >= 0) || std::isinf(s.temperature)) fail("temperature is {}, expected 0 or more", s.temperature);
  if (!(s.top_p > 0 && s.top_p <= 1)) fail("top-p is {}, expected more than 0, at most 1", s.top_p);
  if (!(s.min_p >= 0 && s.min_p <= 1)) fail("min-p is {}, expected 0 to 1", s.min_p);
  if (!(s.repeat_penalty > 0) || std::isinf(s.repeat_penalty)) {
    fail("repeat-penalty is {}, expected more than 0", s.repeat_penalty);
  }
}

void check_logits(std::span<const float> logits) {
  bool any_chance = false;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (std::isnan(logits[i]) || logits[i] == std::numeric_limits<float>::infinity()) {
      fail("the model gave {} as the logit of token {}", logits[i], i);
    }
    any_chance = any_chance || std::isfinite(logits[i]);
  }
  if (!any_chance) fail("the model gave no token a chance: every logit is {}", -std::numeric_limits<float>::infinity());
}

std::vector<Candidate> Sampler::distribution(std::span<const float> logits, std::span<const std::int32_t> seen) const {
  check_logits(logits);
  std::vector<Score> scores(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) scores[i] = {static_cast<std::int32_t>(i), logits[i]};
  if (sampling_.repeat_penalty != 1) penalise(scores, seen, sampling_.repeat_penalty);
  const Score best = *std::min_element(scores.begin(), scores.end(), more_likely);
  if (std::isinf(best.logit)) fail("the repeat penalty left no token a chance: every logit is {}", best.logit);
  if (sampling_.temperature == 0) return {{best.id, 1.0}};

  for (Score& s : scores) s.logit /= sampling_.temperature;
  const float max = best.logit / sampling_.temperature;
  if (std::isinf(max)) return {{best.id, 1.0}};  // a temperature so low that nothing else has a chance
  keep_top_k(scores, sampling_.top_k);
  keep_top_p(scores, sampling_.top_p, max);
  if (sampling_.min_p > 0) {
    std::erase_if(scores, [&](const Score& s) { return weight(s, max) < static_cast<double>(sampling_.min_p); });
  }

  std::sort(scores.begin(), scores.end(), [](const Score& a, const Score& b) { return a.id < b.id; });
  double total = 0;
  std::vector<Candidate> candidates;
  for (const Score& s : scores) {
    candidates.push_back({s.id, weight(s, max)});
    total += candidates.back().probability;
  }
  for (Candidate& c : candidates) c.probability /= total;
  return candidates;
}

std::int32_t Sampler::sample(std::span<const float> logits, std::span<const std::int32_t> seen) {
  const std::vector<Candidate> candidates = distribution(logits, seen);
  double left = random_.uniform();  // one draw a token, also when there is nothing to choose
  for (const Candidate& c : candidates) {
    left -= c.probability;
    if (left < 0) return c.id;
  }
  return candidates.back().id;
}

}  // namespace rung

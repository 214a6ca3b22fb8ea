#include "engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace rung {

namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

struct Score {
  TokenId id;
  float logit;
};

bool less_likely(const Score& a, const Score& b) { return a.logit < b.logit || (a.logit == b.logit && a.id > b.id); }
bool more_likely(const Score& a, const Score& b) { return less_likely(b, a); }

// One choice in the making: every rule sees all of this and changes the scores.
struct Choice {
  std::vector<Score> scores;  // while the rules are at work: scores[id].id == id
  const Sampling& sampling;
  const std::set<TokenId>& ends;
  const SoFar& so_far;
  float best = 0;  // the highest logit, once the rules are done

  Score* find(TokenId id) {  // an id that the model has no logit for is nobody's to choose
    return id >= 0 && static_cast<std::size_t>(id) < scores.size() ? &scores[static_cast<std::size_t>(id)] : nullptr;
  }
  void forbid(TokenId id) {
    if (Score* score = find(id)) score->logit = kNever;
  }
};

// ---- Rules: what may not come, and what shall come less. They hold for greedy, too. ----

void penalise_repetition(Choice& c) {
  const float penalty = c.sampling.repeat_penalty;
  if (penalty == 1) return;
  std::vector<bool> done(c.scores.size());
  for (const TokenId id : c.so_far.tokens) {
    Score* score = c.find(id);
    if (score == nullptr || done[static_cast<std::size_t>(id)]) continue;
    done[static_cast<std::size_t>(id)] = true;
    score->logit = score->logit < 0 ? score->logit * penalty : score->logit / penalty;
  }
}

// logit[j] −= frequency·c[j] + presence·(c[j] > 0), where the answer holds token j c[j] times: OpenAI's definition
// (platform.openai.com/docs/guides/text-generation), which leaves the prompt out of it.
void penalise_presence_and_frequency(Choice& c) {
  const auto& [presence, frequency] = std::pair(c.sampling.presence_penalty, c.sampling.frequency_penalty);
  if (presence == 0 && frequency == 0) return;
  std::vector<bool> present(c.scores.size());
  for (const TokenId id : c.so_far.answer()) {
    Score* score = c.find(id);
    if (score == nullptr) continue;
    score->logit -= present[static_cast<std::size_t>(id)] ? frequency : presence + frequency;
    present[static_cast<std::size_t>(id)] = true;
  }
}

// Wherever the last n − 1 tokens stood before, what followed them then may not follow now.
void forbid_repeated_ngrams(Choice& c) {
  const std::span<const TokenId> tokens = c.so_far.tokens;
  const std::size_t n = c.sampling.no_repeat_ngram;
  if (n == 0 || tokens.size() < n) return;
  const auto last = tokens.last(n - 1);
  for (std::size_t i = 0; i + n <= tokens.size(); ++i) {
    if (std::equal(last.begin(), last.end(), tokens.begin() + static_cast<std::ptrdiff_t>(i))) {
      c.forbid(tokens[i + n - 1]);
    }
  }
}

// The last token of a word whose others stand there already. An end of the answer alone is no bad word.
void forbid_bad_words(Choice& c) {
  const std::span<const TokenId> tokens = c.so_far.tokens;
  for (const std::vector<TokenId>& word : c.sampling.bad_words) {
    if (word.empty() || word.size() - 1 > tokens.size() || (word.size() == 1 && c.ends.contains(word[0]))) continue;
    if (std::equal(word.begin(), word.end() - 1, tokens.end() - static_cast<std::ptrdiff_t>(word.size() - 1))) {
      c.forbid(word.back());
    }
  }
}

void forbid_an_early_end(Choice& c) {
  const bool is_short =
      c.so_far.tokens.size() < c.sampling.min_length || c.so_far.answer().size() < c.sampling.min_tokens;
  if (!is_short) return;
  for (const TokenId id : c.ends) c.forbid(id);
}

void force_the_end(Choice& c) {
  if (!c.so_far.is_last || c.sampling.forced_end.empty()) return;
  for (Score& score : c.scores) score.logit = kNever;
  for (const TokenId id : c.sampling.forced_end) {
    if (Score* score = c.find(id)) score->logit = 0;
  }
}

void suppress(Choice& c) {
  for (const TokenId id : c.sampling.suppress) c.forbid(id);
  if (!c.so_far.answer().empty()) return;
  for (const TokenId id : c.sampling.begin_suppress) c.forbid(id);
}

using Rule = void (*)(Choice&);
constexpr Rule kRules[] = {penalise_repetition,
                           penalise_presence_and_frequency,
                           forbid_repeated_ngrams,
                           forbid_bad_words,
                           forbid_an_early_end,
                           force_the_end,
                           suppress};

// ---- Filters: among which tokens is drawn. They take scores away. ----

double weight(const Choice& c, const Score& s) {
  return portable_exp(static_cast<double>(s.logit) - static_cast<double>(c.best));
}

void keep_top_k(Choice& c) {
  std::vector<Score>& scores = c.scores;
  const std::size_t k = c.sampling.top_k;
  if (k == 0 || k >= scores.size()) return;
  std::nth_element(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(k - 1), scores.end(), more_likely);
  const float least = scores[k - 1].logit;
  std::erase_if(scores, [&](const Score& s) { return s.logit < least; });
}

// A token stays if those likelier than it have less than p together. The likeliest are taken one by one from a heap:
// few are needed.
void keep_top_p(Choice& c) {
  std::vector<Score>& scores = c.scores;
  const auto p = static_cast<double>(c.sampling.top_p);
  if (p >= 1) return;
  double total = 0;
  for (const Score& s : scores) total += weight(c, s);
  std::make_heap(scores.begin(), scores.end(), less_likely);
  auto end = scores.end();
  for (double mass = 0; end != scores.begin() && (end == scores.end() || mass < p * total); --end) {
    mass += weight(c, scores.front());
    std::pop_heap(scores.begin(), end, less_likely);
  }
  scores.erase(scores.begin(), end);
}

void keep_min_p(Choice& c) {
  const auto p = static_cast<double>(c.sampling.min_p);
  if (p > 0) std::erase_if(c.scores, [&](const Score& s) { return weight(c, s) < p; });
}

constexpr Rule kFilters[] = {keep_top_k, keep_top_p, keep_min_p};

}  // namespace

void check_logits(std::span<const float> logits) {
  bool any_chance = false;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (std::isnan(logits[i]) || logits[i] == std::numeric_limits<float>::infinity()) {
      fail("the model gave {} as the logit of token {}", logits[i], i);
    }
    any_chance = any_chance || std::isfinite(logits[i]);
  }
  if (!any_chance) fail("the model gave no token a chance: every logit is {}", kNever);
}

std::vector<Candidate> Sampler::distribution(std::span<const float> logits, const SoFar& so_far) const {
  check_logits(logits);
  Choice c{.scores = std::vector<Score>(logits.size()), .sampling = sampling_, .ends = ends_, .so_far = so_far};
  for (std::size_t i = 0; i < logits.size(); ++i) c.scores[i] = {static_cast<TokenId>(i), logits[i]};
  for (const Rule rule : kRules) rule(c);
  const Score best = *std::min_element(c.scores.begin(), c.scores.end(), more_likely);
  if (std::isinf(best.logit)) fail("the rules of sampling left no token a chance: every logit is {}", best.logit);
  if (sampling_.temperature == 0) return {{best.id, 1.0}};

  for (Score& s : c.scores) s.logit /= sampling_.temperature;
  c.best = best.logit / sampling_.temperature;
  if (std::isinf(c.best)) return {{best.id, 1.0}};  // a temperature so low that nothing else has a chance
  for (const Rule filter : kFilters) filter(c);

  std::sort(c.scores.begin(), c.scores.end(), [](const Score& a, const Score& b) { return a.id < b.id; });
  double total = 0;
  std::vector<Candidate> candidates;
  for (const Score& s : c.scores) {
    candidates.push_back({s.id, weight(c, s)});
    total += candidates.back().probability;
  }
  for (Candidate& candidate : candidates) candidate.probability /= total;
  return candidates;
}

TokenId Sampler::sample(std::span<const float> logits, const SoFar& so_far) {
  const std::vector<Candidate> candidates = distribution(logits, so_far);
  double left = random_.uniform();  // one draw a token, also when there is nothing to choose
  for (const Candidate& c : candidates) {
    left -= c.probability;
    if (left < 0) return c.id;
  }
  return candidates.back().id;
}

}  // namespace rung

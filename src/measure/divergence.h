// Two models' logits for the same tokens → how far apart what they expect is.  Milestone M5.
//
//   KL(p ‖ q) = Σ_v p(v)·ln(p(v) / q(v))        p: the base's next-token distribution, q: the other's
//
// It is 0 where both expect the same, and says how many nats more a token costs whoever believes q while p is right.
// The perplexity of a text sees only the token that came; this sees all that could have come, so that a few thousand
// tokens tell even Q8_0 from its original.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "engine/generate.h"
#include "measure/perplexity.h"

namespace rung {

// After one token.
struct RowDistance {
  double divergence;       // nats
  bool same_first;         // both find the same token likeliest
  double base_loss, loss;  // of the token that came
};
RowDistance row_distance(std::span<const float> base, std::span<const float> other, TokenId next);

// A share or a mean, and its standard error.
struct Estimate {
  double value, error;
};

class Distance {
 public:
  // the weight is that of the losses: each row's divergence counts once
  void add(const RowDistance& row, double weight = 1);
  std::size_t count() const { return divergences_.size(); }
  Estimate mean_divergence() const;
  double percentile(double share) const;  // of the divergences: between two of them, their weighted mean, as in NumPy
  double largest() const { return percentile(1); }
  Estimate same_first() const;
  // the other's over the base's: their errors are those of the same tokens, and mostly cancel
  Estimate perplexity_ratio() const;
  const Losses& losses() const { return losses_; }

 private:
  std::vector<double> divergences_;
  std::size_t same_first_ = 0;
  Losses losses_;  // the other's
  Losses more_;    // the other's loss − the base's
};

struct Contestant {
  const Model& model;
  Device& device;
};

struct Comparison {
  Losses base_losses;
  std::vector<Distance> distances;  // of the others, in their order
  std::vector<Timing> readings;     // of all, the base first
  std::size_t windows = 0;          // that were read to their end
};

// All read the text's windows stretch by stretch side by side, so no more logits than a stretch's are kept. They must
// have the same vocabulary. `progress(so far)` is called after each model's stretch; when it says false, or Ctrl-C
// comes (SignalWatch), the windows that were read whole are the result.
using ComparisonProgress = std::function<bool(const Comparison& so_far)>;
Comparison compare(std::span<const Contestant> contestants, const WindowedText& text,
                   const ComparisonProgress& progress = {});

}  // namespace rung

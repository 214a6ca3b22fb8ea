#include "measure/divergence.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/clock.h"
#include "base/error.h"
#include "base/signals.h"

namespace rung {

//   KL = Σ p·(ln p − ln q) = Σ p·(a − b) − ln Σ e^a + ln Σ e^b        a, b: the logits
RowDistance row_distance(std::span<const float> base, std::span<const float> other, TokenId next) {
  const auto first = std::max_element(base.begin(), base.end()),
             others_first = std::max_element(other.begin(), other.end());
  const double max = static_cast<double>(*first), others_max = static_cast<double>(*others_first);
  double sum = 0, others_sum = 0, weighted = 0;
  for (std::size_t v = 0; v < base.size(); ++v) {
    const double a = static_cast<double>(base[v]), b = static_cast<double>(other[v]);
    const double p = std::exp(a - max);
    sum += p;
    others_sum += std::exp(b - others_max);
    weighted += p * (a - b);
  }
  const double normaliser = max + std::log(sum), others_normaliser = others_max + std::log(others_sum);
  const double divergence = weighted / sum - normaliser + others_normaliser;
  const auto at = static_cast<std::size_t>(next);
  return {
      .divergence = divergence < 0 ? 0 : divergence,  // rounding may take 1e-16 too much; what is no number stays none
      .same_first = first - base.begin() == others_first - other.begin(),
      .base_loss = normaliser - static_cast<double>(base[at]),
      .loss = others_normaliser - static_cast<double>(other[at]),
  };
}

void Distance::add(const RowDistance& row, double weight) {
  if (!std::isfinite(row.divergence)) {
    fail("a model's logits are no numbers: its weights are broken, or too large for their type");
  }
  divergences_.push_back(row.divergence);
  same_first_ += row.same_first ? 1 : 0;
  losses_.add(row.loss, weight);
  more_.add(row.loss - row.base_loss, weight);
}

Estimate Distance::mean_divergence() const {
  Losses all;
  for (const double d : divergences_) all.add(d);
  return {all.mean(), all.standard_error()};
}

double Distance::percentile(double share) const {
  if (divergences_.empty()) return 0;
  std::vector<double> sorted = divergences_;
  std::sort(sorted.begin(), sorted.end());
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

Estimate Distance::same_first() const {
  const auto n = static_cast<double>(count());
  const double share = static_cast<double>(same_first_) / n;
  return {share, n > 1 ? std::sqrt(share * (1 - share) / (n - 1)) : 0};
}

Estimate Distance::perplexity_ratio() const { return {more_.perplexity(), more_.perplexity_error()}; }

namespace {

std::vector<RowDistance> row_distances(Tensor<const float, Tokens, Vocab> base,
                                       Tensor<const float, Tokens, Vocab> other, const Stretch& stretch,
                                       ThreadTeam& team) {
  std::vector<RowDistance> rows(stretch.next.size());
  team.run(rows.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t t = begin; t < end; ++t) rows[t] = row_distance(base[t].span(), other[t].span(), stretch.next[t]);
  });
  return rows;
}

// Into `done`, window after window.
void compare_into(Comparison& done, std::span<const Contestant> contestants, const WindowedText& text,
                  const ComparisonProgress& progress) {
  std::vector<std::unique_ptr<WindowReader>> readers;
  for (const Contestant& c : contestants) {
    readers.push_back(std::make_unique<WindowReader>(c.model, c.device, text.longest_window()));
  }
  for (const Window& window : text.windows) {
    Comparison so_far = done;
    for (const auto& reader : readers) reader->restart();
    for (const Stretch& stretch : stretches_of(text, window, contestants.front().model.config.vocab_size)) {
      Tensor<float, Tokens, Vocab> base;
      for (std::size_t i = 0; i < readers.size(); ++i) {
        const Clock::time_point start = Clock::now();
        const auto logits = readers[i]->read(stretch);
        so_far.readings[i].seconds += seconds_since(start);
        so_far.readings[i].tokens += stretch.ids.size();
        if (i == 0) {
          base = logits;
          for (const double loss : losses_of(base, stretch.next, contestants[0].device.team())) {
            so_far.base_losses.add(loss, window.weight);
          }
        } else {
          for (const RowDistance& row : row_distances(base, logits, stretch, contestants[i].device.team())) {
            so_far.distances[i - 1].add(row, window.weight);
          }
        }
        if (progress && !progress(so_far)) return;
      }
    }
    ++so_far.windows;
    done = std::move(so_far);
  }
}

}  // namespace

Comparison compare(std::span<const Contestant> contestants, const WindowedText& text,
                   const ComparisonProgress& progress) {
  Comparison done;
  done.distances.resize(contestants.size() - 1);
  done.readings.resize(contestants.size());
  try {
    compare_into(done, contestants, text, progress);
  } catch (const Interrupted&) {
  }
  return done;
}

}  // namespace rung

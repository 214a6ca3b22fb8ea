#include "measure/perplexity.h"

#include <algorithm>
#include <cmath>

#include "base/clock.h"
#include "base/error.h"
#include "base/signals.h"
#include "base/utf8.h"

namespace rung {

std::vector<Window> halves_of(std::size_t tokens, std::size_t window_tokens) {
  std::vector<Window> windows;
  for (std::size_t begin = 0; begin + window_tokens <= tokens; begin += window_tokens) {
    windows.push_back({begin, begin + window_tokens, begin + window_tokens / 2 + 1});
  }
  return windows;
}

std::vector<Window> sliding(std::size_t tokens, std::size_t window_tokens, std::size_t stride) {
  std::vector<Window> windows;
  std::size_t counted = 1;  // nothing stands before the text's first token that could foretell it
  for (std::size_t begin = 0; counted < tokens; begin += stride) {
    const std::size_t end = std::min(begin + window_tokens, tokens);
    // With a stride of a whole window, its first token has nothing before it either.
    const std::size_t first = std::max(counted, begin + 1);
    const double added = static_cast<double>(begin == 0 ? end : end - counted);
    if (first < end) windows.push_back({begin, end, first, (added - 1) / static_cast<double>(end - first)});
    counted = end;
  }
  return windows;
}

std::size_t WindowedText::longest_window() const {
  std::size_t longest = 0;
  for (const Window& w : windows) longest = std::max(longest, w.end - w.begin);
  return longest;
}

void check_text(std::string_view text, std::string_view where) {
  if (text.empty()) fail("{}: the text is empty", where);
  if (const std::size_t at = text.find('\0'); at != std::string_view::npos) {
    fail("{}: byte {} is 0: this is no text", where, at);
  }
  if (const auto at = find_invalid_utf8(text)) {
    fail("{}: byte {} is no UTF-8: this is no text, or one in another encoding", where, *at);
  }
}

std::vector<Stretch> stretches_of(const WindowedText& text, const Window& window, std::size_t vocab_size) {
  constexpr std::size_t kLogits = std::size_t{16} << 20, kFewest = 16, kMost = 256;
  const std::size_t rows = std::clamp(kLogits / vocab_size, kFewest, kMost);
  std::vector<Stretch> stretches;
  // The window's last token is foretold, but foretells nothing that counts.
  for (std::size_t begin = window.begin; begin + 1 < window.end; begin += rows) {
    const std::size_t end = std::min(begin + rows, window.end - 1);
    Stretch stretch;
    stretch.ids.assign(text.ids.begin() + static_cast<std::ptrdiff_t>(begin),
                       text.ids.begin() + static_cast<std::ptrdiff_t>(end));
    if (begin == window.begin && text.first_of_window) stretch.ids.front() = *text.first_of_window;
    const std::size_t first = std::max(begin + 1, window.first_counted);
    if (first <= end) stretch.next = std::span(text.ids).subspan(first, end + 1 - first);
    stretches.push_back(std::move(stretch));
  }
  return stretches;
}

WindowReader::WindowReader(const Model& model, Device& device, std::size_t window_tokens)
    : forward_(model, device.ops(), window_tokens), cache_(kv_shape(model.config, device.ops().cache_type())) {
  Batch batch;
  batch.add(0, 0, cache_, true);
  forward_.run(batch);
  restart();
}

Tensor<float, Tokens, Vocab> WindowReader::read(const Stretch& stretch) {
  Batch batch;
  batch.add(stretch.ids, tokens_, cache_, [&](std::size_t i) { return i >= stretch.first_counted(); });
  tokens_ += stretch.ids.size();
  const auto logits = forward_.run(batch);
  refuse_overflow(logits, cache_);
  return logits;
}

double log_sum_exp(std::span<const float> x) {
  const double max = static_cast<double>(*std::max_element(x.begin(), x.end()));  // e^(x − max) ≤ 1: no sum overflows
  double sum = 0;
  for (const float value : x) sum += std::exp(static_cast<double>(value) - max);
  return max + std::log(sum);
}

std::vector<double> losses_of(Tensor<const float, Tokens, Vocab> logits, std::span<const TokenId> next,
                              ThreadTeam& team) {
  std::vector<double> losses(next.size());
  team.run(next.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t t = begin; t < end; ++t) {
      const std::span<const float> row = logits[t].span();
      losses[t] = log_sum_exp(row) - static_cast<double>(row[static_cast<std::size_t>(next[t])]);
    }
  });
  for (const double loss : losses) {
    if (!std::isfinite(loss)) {
      fail(
          "the model's logits are no numbers (a token's loss is {}): its weights are broken, or too large for their "
          "type",
          loss);
    }
  }
  return losses;
}

void Losses::add(double loss, double weight) {
  ++count_;
  weights_ += weight;
  sum_ += weight * loss;
  squares_ += weight * loss * loss;
}

double Losses::standard_error() const {
  if (count_ < 2) return 0;
  return std::sqrt(std::max(0.0, squares_ / weights_ - mean() * mean()) / static_cast<double>(count_ - 1));
}

double Losses::perplexity() const { return std::exp(mean()); }

namespace {

// Into `done`, window after window.
void evaluate_into(Evaluation& done, const Model& model, Device& device, const WindowedText& text,
                   const EvaluationProgress& progress) {
  WindowReader reader(model, device, text.longest_window());
  for (const Window& window : text.windows) {
    Evaluation so_far = done;
    reader.restart();
    for (const Stretch& stretch : stretches_of(text, window, model.config.vocab_size)) {
      const Clock::time_point start = Clock::now();
      const auto logits = reader.read(stretch);
      so_far.seconds += seconds_since(start);
      so_far.read_tokens += stretch.ids.size();
      for (const double loss : losses_of(logits, stretch.next, device.team())) so_far.losses.add(loss, window.weight);
      if (progress && !progress(so_far)) return;
    }
    ++so_far.windows;
    done = so_far;
  }
}

}  // namespace

Evaluation evaluate(const Model& model, Device& device, const WindowedText& text, const EvaluationProgress& progress) {
  Evaluation done;
  try {
    evaluate_into(done, model, device, text, progress);
  } catch (const Interrupted&) {
  }
  return done;
}

}  // namespace rung

// A text's tokens → how well a model foretells them.  Milestone M5.
//
//   loss of a token = −ln p(token | what stands before it in its window), in nats
//   perplexity      = e^(mean loss): the model is as unsure as if it had to choose among so many tokens,
//                     each as likely as the others
//
// A model sees the text through windows, and a method says which of their tokens count (#). The others (·) are only
// there to be looked back at:
//
//   halves_of (llama.cpp)             sliding (transformers)
//   ····####                          ########
//           ····####                      ····####       with a stride of half a window
//                   ····####                  ····####
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/device.h"
#include "model/forward.h"
#include "text/tokenizer.h"

namespace rung {

// Tokens [begin, end) of the text; [first_counted, end) count, each as much as `weight`. begin < first_counted < end.
struct Window {
  std::size_t begin, end, first_counted;
  double weight = 1;
};

// Side by side. Of each the second half counts: of 512 tokens 255, as the first token of that half is given, too. What
// is left at the end is left out. (llama.cpp, tools/perplexity)
std::vector<Window> halves_of(std::size_t tokens, std::size_t window_tokens);

// Each begins `stride` ≥ 2 after the one before, and what was not in that one counts: each token once, but for the
// text's first. The original multiplies the mean loss of a window by one token less than it adds. That is right for the
// first, which has a token that nothing foretells, and a little too little for the others; so a token of theirs weighs
// (n − 1) / n here, too. (https://huggingface.co/docs/transformers/perplexity)
std::vector<Window> sliding(std::size_t tokens, std::size_t window_tokens, std::size_t stride);

struct WindowedText {
  std::vector<TokenId> ids;
  std::vector<Window> windows;
  // Takes the place of each window's first token: the BOS, where the model wants one and the method gives it.
  std::optional<TokenId> first_of_window;

  std::size_t longest_window() const;  // in tokens
};

// Throws Error, naming `where`: a text that is empty or no text (control bytes, no UTF-8).
void check_text(std::string_view text, std::string_view where);

// Some rows of a window that go through the model together, and the tokens that follow those of them that count: its
// last rows.
struct Stretch {
  std::vector<TokenId> ids;
  std::span<const TokenId> next;
  std::size_t first_counted() const { return ids.size() - next.size(); }
};
// As many rows at a time as keep their logits within some 64 MB.
std::vector<Stretch> stretches_of(const WindowedText& text, const Window& window, std::size_t vocab_size);

// Takes a model through a window, stretch by stretch.
class WindowReader {
 public:
  // Both outlive this. `window_tokens`: the longest window there will be. Brings the weights into memory, so that what
  // follows can be timed.
  WindowReader(const Model& model, Device& device, std::size_t window_tokens);

  void restart() { cache_.truncate(0), tokens_ = 0; }
  // The logits of the rows that count, valid until the next call.
  Tensor<float, Tokens, Vocab> read(const Stretch& stretch);

 private:
  Forward forward_;
  KvCache cache_;
  std::size_t tokens_ = 0;
};

// ln Σ e^x, in double.
double log_sum_exp(std::span<const float> x);

// The loss of each row's next token. Throws Error: logits that are no numbers.
std::vector<double> losses_of(Tensor<const float, Tokens, Vocab> logits, std::span<const TokenId> next,
                              ThreadTeam& team);

// The losses so far.
class Losses {
 public:
  void add(double loss, double weight = 1);
  std::size_t count() const { return count_; }
  double sum() const { return sum_; }
  double mean() const { return sum_ / weights_; }
  double standard_error() const;  // of the mean, as if the tokens were independent of each other
  double perplexity() const;
  double perplexity_error() const { return perplexity() * standard_error(); }

 private:
  std::size_t count_ = 0;
  double weights_ = 0, sum_ = 0, squares_ = 0;
};

struct Evaluation {
  Losses losses;
  std::size_t windows = 0;  // that were read to their end
  std::size_t read_tokens = 0;
  double seconds = 0;  // of forward passes
};

// Reads one window after the other. `progress(so far)` is called after each stretch; when it says false, or Ctrl-C
// comes (SignalWatch), the windows that were read whole are the result.
using EvaluationProgress = std::function<bool(const Evaluation& so_far)>;
Evaluation evaluate(const Model& model, Device& device, const WindowedText& text,
                    const EvaluationProgress& progress = {});

}  // namespace rung

// A text's file → tokens in windows: what `rung eval` and `rung compare` read.  Milestone M5.
#pragma once

#include <optional>
#include <string>

#include "cli/command.h"
#include "measure/perplexity.h"

namespace rung {

struct WindowOptions {
  std::optional<std::size_t> window_tokens, stride, most_windows;

  void add(Options& options);
  // Throws Error: a text that is none, or too short; windows larger than the model's context. UsageError: a stride that
  // leaves tokens out.
  WindowedText cut(std::string_view text, std::string_view where, const Tokenizer& tokenizer,
                   const ModelConfig& config) const;
  std::size_t window_of(const ModelConfig& config) const;
  // "15 windows of 512 tokens, of each the second half counts: 3825 tokens"
  std::string describe(const WindowedText& text, const ModelConfig& config) const;
  void add_json(OrderedJson& object, const WindowedText& text, const ModelConfig& config) const;
};

std::size_t counted_tokens(const WindowedText& text);

// The text of a file, - being standard input. `path` becomes what errors call it. Throws Error.
std::string read_text(std::string& path);

}  // namespace rung

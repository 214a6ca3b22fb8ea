#include "cli/window_options.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/error.h"
#include "cli/pieces.h"
#include "cli/positive.h"
#include "engine/chat_prompt.h"

namespace rung {

namespace {

constexpr std::size_t kUsualWindow = 512;  // llama.cpp's

}  // namespace

void WindowOptions::add(Options& options) {
  options.add("--context", window_tokens, "how many tokens a window has (default: 512, or the model's context)")
      .type_name("N")
      .check(positive);
  options.add("--stride", stride, "windows that overlap, each N tokens after the one before: every token counts once")
      .type_name("N")
      .check(positive);
  options.add("--windows", most_windows, "only the text's first N windows").type_name("N").check(positive);
}

std::size_t WindowOptions::window_of(const ModelConfig& config) const {
  return window_tokens.value_or(std::min(kUsualWindow, config.context));
}

WindowedText WindowOptions::cut(std::string_view text, std::string_view where, const Tokenizer& tokenizer,
                                const ModelConfig& config) const {
  const std::size_t window = window_of(config), fewest = stride ? 2 : 3;
  if (window > config.longest_context()) {
    fail("--context is {}, expected at most the model's {}", window, config.longest_context());
  }
  if (window < fewest) throw UsageError(fmt::format("--context is {}, expected at least {}", window, fewest));
  if (stride && *stride < 2) {
    throw UsageError("--stride is 1, expected at least 2: the method weighs a window that adds n tokens as n - 1");
  }
  if (stride && *stride > window) {
    throw UsageError(
        fmt::format("--stride is {}, expected at most a window, {}: no token may be left out", *stride, window));
  }
  check_text(text, where);
  WindowedText cut{.ids = encode_prompt(tokenizer, text), .windows = {}, .first_of_window = {}};
  const std::size_t needed = stride ? 2 : window;
  if (cut.ids.size() < needed) {
    fail("{}: the text has {}, expected at least {}{}", where, count_of(cut.ids.size(), "token"), needed,
         stride ? "" : ", one window (--context N makes windows smaller)");
  }
  cut.windows = stride ? sliding(cut.ids.size(), window, *stride) : halves_of(cut.ids.size(), window);
  if (most_windows && cut.windows.size() > *most_windows) cut.windows.resize(*most_windows);
  if (!stride && tokenizer.adds_bos()) cut.first_of_window = tokenizer.bos();
  return cut;
}

std::size_t counted_tokens(const WindowedText& text) {
  std::size_t count = 0;
  for (const Window& w : text.windows) count += w.end - w.first_counted;
  return count;
}

std::string WindowOptions::describe(const WindowedText& text, const ModelConfig& config) const {
  const std::string windows = fmt::format("{} of {}", count_of(text.windows.size(), "window"), window_of(config));
  const std::string counted = count_of(counted_tokens(text), "token");
  return stride ? fmt::format("{}, one every {}; {} counted", windows, *stride, counted)
                : fmt::format("{}, the second half of each counted: {}", windows, counted);
}

void WindowOptions::add_json(OrderedJson& object, const WindowedText& text, const ModelConfig& config) const {
  object["method"] = stride ? "sliding" : "halves";
  object["window_tokens"] = window_of(config);
  if (stride) object["stride"] = *stride;
  object["text_tokens"] = text.ids.size();
  object["windows_of_text"] = text.windows.size();
}

std::string read_text(std::string& path) {
  std::string text = read_file(path);
  if (path == "-") path = "standard input";
  return text;
}

}  // namespace rung

// What a person sees and can do while a model answers: how far it has read, the text as it comes, Ctrl-C.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/signals.h"
#include "cli/terminal.h"
#include "engine/generate.h"

namespace rung {

class Answering {
 public:
  // `reading`: what the progress line says while the prompt is read. Outlives the callbacks.
  Answering(std::string reading, std::function<void(std::string_view)> text) : text_(std::move(text)) {
    progress_.emplace(std::move(reading));
  }

  GenerateCallbacks callbacks() {
    return {.text = text_,
            .prefill =
                [this](std::size_t done, std::size_t total) {
                  progress_->update(done, total, "tokens");
                  if (done == total) progress_.reset();
                  return SignalWatch::caught() == 0;
                },
            .interrupted = [] { return SignalWatch::caught() != 0; }};
  }
  // Takes the progress line away, where an interrupted prompt left it.
  void end() { progress_.reset(); }

 private:
  const SignalWatch watch_;
  std::function<void(std::string_view)> text_;
  std::optional<Progress> progress_;
};

}  // namespace rung

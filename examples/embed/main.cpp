// A program of its own around the installed library: goes on with a text.   embed [MODEL [TEXT]]
#include <cstdio>
#include <string_view>

#include "engine/rung.h"

int main(int argc, char** argv) try {
  const std::string_view text = argc > 2 ? argv[2] : "Once upon a time";

  rung::Engine engine(argc > 1 ? rung::ModelFiles::open(argv[1]) : rung::ModelFiles::pebble());
  rung::Sampling sampling = engine.model().sampling();
  sampling.seed = 7;  // the same story each time

  const rung::GenerateCallbacks callbacks{
      .text =
          [](std::string_view piece) {
            std::fwrite(piece.data(), 1, piece.size(), stdout);
            std::fflush(stdout);
          },
  };
  const rung::Generated answer = engine.generate(text, {.max_tokens = 32, .sampling = sampling}, callbacks);
  std::printf("\n[%zu tokens, %.1f a second]\n", answer.ids.size(), answer.decode.tokens_per_second());
} catch (const rung::Error& error) {
  std::fprintf(stderr, "embed: %s\n", error.what());
  return 1;
}

// A tokenizer and text → how fast, or the ids of many texts. The other half is bench/tokenizers.py, which times the
// official library on the same text, and tools/fuzz_tokenizers.py, which compares ids.
//
//   bench_tokenizer MODEL FILE      MODEL: a .gguf, or a folder with tokenizer.json. One JSON object with
//                                   seconds and sizes.
//   bench_tokenizer MODEL --batch   stdin: a JSON string per line; stdout: for each a JSON array of ids, {"error": …}
//                                   or, after ids, text
#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "base/mapped_file.h"
#include "files/gguf.h"
#include "text/tokenizer.h"

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

rung::Tokenizer load(const std::filesystem::path& model) {
  if (model.extension() == ".gguf") return rung::Tokenizer::from_gguf(rung::Gguf::open(model));
  return rung::Tokenizer::from_folder(model);
}

// A string is encoded (without BOS and EOS), an array of ids decoded.
rung::Json answer(const rung::Tokenizer& tokenizer, const rung::Json& question) {
  if (question.is_string()) return tokenizer.encode(question.get_ref<const std::string&>(), {.add_special = false});
  return tokenizer.decode(question.get<std::vector<rung::TokenId>>());
}

void batch(const rung::Tokenizer& tokenizer) {
  for (std::string line; std::getline(std::cin, line);) {
    try {
      fmt::print("{}\n", answer(tokenizer, rung::parse_json(line, "stdin")).dump());
    } catch (const rung::Error& e) {
      fmt::print("{}\n", rung::Json{{"error", e.what()}}.dump());
    }
    std::fflush(stdout);
  }
}

void time_file(const rung::Tokenizer& tokenizer, const std::filesystem::path& path, double load_seconds) {
  const rung::MappedFile file(path);
  const std::string text(file.text());
  double best = 1e9;
  std::size_t tokens = 0;
  for (int round = 0; round < 3; ++round) {
    const auto start = Clock::now();
    tokens = tokenizer.encode(text, {.add_special = false}).size();
    best = std::min(best, seconds_since(start));
  }
  fmt::print("{}\n", rung::Json{{"load_seconds", load_seconds},
                                {"bytes", text.size()},
                                {"tokens", tokens},
                                {"seconds", best},
                                {"megabytes_per_second", static_cast<double>(text.size()) / best / 1e6}}
                         .dump());
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) {
    fmt::print(stderr, "usage: bench_tokenizer MODEL (FILE | --batch)\n");
    return 2;
  }
  const auto start = Clock::now();
  const rung::Tokenizer tokenizer = load(argv[1]);
  const double load_seconds = seconds_since(start);
  if (std::string(argv[2]) == "--batch") {
    batch(tokenizer);
  } else {
    time_file(tokenizer, argv[2], load_seconds);
  }
  return 0;
} catch (const rung::Error& e) {
  fmt::print(stderr, "{}\n", e.what());
  return 1;
}

// How long encoding takes at worst.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "downloads.h"
#include "text/tokenizer_golden.h"

namespace rung {
namespace {

double seconds(const Tokenizer& tokenizer, const std::string& text) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(tokenizer.encode(text).empty());
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// No text costs more than a little above its length: one word of a million characters, alternating kinds, marks that
// all have to be sorted.
TEST(Encode, CostsLittleMoreThanTheLengthWhateverTheTextIs) {
  RUNG_NEEDS_DOWNLOAD("smollm2.gguf");
  RUNG_NEEDS_DOWNLOAD("gemma3.gguf");
  std::vector<std::string> texts{std::string(1'000'000, 'a'),
                                 std::string(1'000'000, ' '),
                                 std::string(1'000'000, '\n'),
                                 std::string(1'000'000, '1'),
                                 std::string(1'000'000, '.'),
                                 std::string(1'000'000, '<'),
                                 "x" + std::string(1'000'000, ' ') + "x"};
  const auto repeated = [&](const std::string& unit) {
    std::string text;
    while (text.size() < 1'000'000) text += unit;
    texts.push_back(text);
  };
  for (const char* unit : {"ab", "\xcc\x81", "e\xcc\x96\xcc\x81", "字", " \n", "\r\n ", "'s", "<|im_end|", "<unused",
                           "▁", "word ", "\xf0\x9f\xa6\x8a"}) {
    repeated(unit);
  }
  for (const char* name : {"smollm2.gguf", "gemma3.gguf"}) {
    const Tokenizer tokenizer = load_download(name);
    for (const std::string& text : texts) {
      EXPECT_LT(seconds(tokenizer, text), 20.0) << name << " " << text.substr(0, 12);
    }
  }
}

}  // namespace
}  // namespace rung

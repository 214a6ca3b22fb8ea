// Any bytes as a tokenizer.json: refused in one line, or a tokenizer that encodes, streams and decodes without harm.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "text/tokenizer.h"

namespace {

constexpr std::string_view texts[]{"", "The  cat, 1st! don't\r\n\tx",
                                   "e\xcc\x81 \xef\xac\x81 \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\xa6\x8a <s> ab</s>",
                                   "aaaaaaaaaaaaaaaa----\xe2\x96\x81\xe2\x96\x81"};

void use(const rung::Tokenizer& tokenizer, std::string_view text) {
  const auto ids = tokenizer.encode(text);
  std::string streamed;
  rung::Tokenizer::Stream stream(tokenizer, false);
  for (const rung::TokenId id : ids) streamed += stream.push(id);
  streamed += stream.finish();
  if (streamed != tokenizer.decode(ids)) std::abort();
  (void)tokenizer.explain(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto tokenizer = rung::Tokenizer::from_json({reinterpret_cast<const char*>(data), size}, "fuzz");
    for (const std::string_view text : texts) {
      try {
        use(tokenizer, text);
      } catch (const rung::Error&) {
      }
    }
  } catch (const rung::Error&) {
  }
  return 0;
}

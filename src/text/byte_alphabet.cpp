#include "text/byte_alphabet.h"

#include <array>
#include <cstdint>

#include "base/utf8.h"

namespace rung {
namespace {

struct Alphabet {
  std::array<char32_t, 256> character{};
  std::array<std::int16_t, 0x144> byte{};

  Alphabet() {
    byte.fill(-1);
    char32_t next = 0x100;
    for (unsigned b = 0; b < 256; ++b) {
      const bool printable = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
      character[b] = printable ? b : next++;
      byte[character[b]] = static_cast<std::int16_t>(b);
    }
  }
};
const Alphabet alphabet;

}  // namespace

std::string spell_bytes(std::string_view bytes) {
  std::string out;
  for (const char b : bytes) append_utf8(out, alphabet.character[static_cast<unsigned char>(b)]);
  return out;
}

bool append_unspelled(std::string& out, std::string_view spelled) {
  const std::size_t before = out.size();
  for (const char* p = spelled.data(); p != spelled.data() + spelled.size();) {
    const char32_t c = decode_utf8(p);
    if (c >= alphabet.byte.size() || alphabet.byte[c] < 0) {
      out.resize(before);
      return false;
    }
    out.push_back(static_cast<char>(alphabet.byte[c]));
  }
  return true;
}

}  // namespace rung

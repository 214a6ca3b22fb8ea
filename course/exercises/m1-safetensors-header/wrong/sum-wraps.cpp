// cause: sum-wraps
// fails: by-hand
#include "learn.h"

// The number that is written at this place of a text; `at` moves behind it.
std::uint32_t read_number(std::string_view text, std::size_t& at) {
  std::uint32_t number = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    number = 10 * number + static_cast<std::uint32_t>(text[at] - '0');
  }
  return number;
}

// file: header length (8 bytes, lowest first), header (JSON), data.  Result: {first byte in the file, bytes} or empty.
std::vector<std::uint32_t> find_tensor(std::span<const std::uint8_t> file, std::string_view name) {
  if (file.size() < 8) return {};
  std::uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8 | file[static_cast<std::size_t>(i)];
  if (8 + length > file.size()) return {};
  const std::string whole(file.begin(), file.end()), header = whole.substr(8, static_cast<std::size_t>(length));

  std::size_t at = header.find('"' + std::string(name) + "\":");
  if (at == std::string::npos) return {};
  const std::string key = "\"data_offsets\":[";
  at = header.find(key, at);
  if (at == std::string::npos) return {};
  at += key.size();
  const std::uint32_t begin = read_number(header, at);
  ++at;  // the comma
  const std::uint32_t end = read_number(header, at);
  return {static_cast<std::uint32_t>(8 + length) + begin, end - begin};
}

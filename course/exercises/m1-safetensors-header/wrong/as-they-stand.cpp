// cause: as-they-stand
// fails: by-hand
#include "learn.h"

std::vector<std::uint32_t> find_tensor(std::span<const std::uint8_t> file, std::string_view name) {
  if (file.size() < 8) return {};
  std::uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8 | file[static_cast<std::size_t>(i)];
  if (length > file.size() - 8) return {};
  const std::string header(file.begin() + 8, file.begin() + 8 + static_cast<std::ptrdiff_t>(length));
  std::size_t at = header.find('"' + std::string(name) + "\":");
  if (at == std::string::npos) return {};
  at = header.find("\"data_offsets\":[", at) + 16;
  std::uint32_t begin = 0, end = 0;
  while (header[at] != ',') begin = begin * 10 + static_cast<std::uint32_t>(header[at++] - '0');
  ++at;
  while (header[at] != ']') end = end * 10 + static_cast<std::uint32_t>(header[at++] - '0');
  return {begin, end};
}

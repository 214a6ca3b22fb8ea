// cause: part-of-a-name
// fails: by-hand
#include "learn.h"

std::vector<std::uint32_t> find_tensor(std::span<const std::uint8_t> file, std::string_view name) {
  if (file.size() < 8) return {};
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), 8);
  if (length > file.size() - 8) return {};
  const std::string header(reinterpret_cast<const char*>(file.data()) + 8, length);
  std::size_t at = header.find("\"" + std::string(name));
  if (at == std::string::npos) return {};
  at = header.find("data_offsets\":[", at);
  if (at == std::string::npos) return {};
  at += 15;
  const auto begin = static_cast<std::uint32_t>(std::atoi(header.c_str() + at));
  const auto end = static_cast<std::uint32_t>(std::atoi(header.c_str() + header.find(',', at) + 1));
  return {static_cast<std::uint32_t>(8 + length) + begin, end - begin};
}

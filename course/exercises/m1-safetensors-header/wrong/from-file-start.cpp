// cause: offset-from-file-start
// fails: by-hand
#include "learn.h"

std::vector<std::uint32_t> find_tensor(std::span<const std::uint8_t> file, std::string_view name) {
  if (file.size() < 8) return {};
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), 8);
  if (length > file.size() - 8) return {};
  const std::string header(reinterpret_cast<const char*>(file.data()) + 8, length);
  std::size_t at = header.find("\"" + std::string(name) + "\":");
  if (at == std::string::npos) return {};
  at = header.find("data_offsets\":[", at) + 15;
  const std::size_t comma = header.find(',', at);
  const int begin = std::atoi(header.c_str() + at), end = std::atoi(header.c_str() + comma + 1);
  return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end - begin)};
}

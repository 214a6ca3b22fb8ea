// Small files, whole: what a learner wrote, what goes to the process that runs it and comes back.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "base/error.h"

namespace rung {

inline std::string read_small_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail("{}: cannot be read", path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_small_file(const std::filesystem::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) fail("{}: cannot be written", path.string());
}

}  // namespace rung

// Small files, whole: what a learner wrote, what goes to the process that runs it and comes back, what is kept.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>

#include <unistd.h>

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

// A compiler's words without the folder: files are then called as the learner does.
inline std::string without_folder(std::string words, const std::filesystem::path& folder) {
  const std::string prefix = folder.string() + "/";
  for (std::size_t at = 0; (at = words.find(prefix, at)) != words.npos;) words.erase(at, prefix.size());
  return words;
}

// Keeps what was made as NAME-KEY.so or its like, whole or not at all, instead of what was kept under the same name
// with another key. Where nothing can be kept, it is made again next time.
inline void keep_built(const std::filesystem::path& made, const std::filesystem::path& kept) {
  namespace fs = std::filesystem;
  const std::string name = kept.filename().string(), stem = name.substr(0, name.rfind('-') + 1);
  std::error_code error, ignored;
  fs::create_directory(kept.parent_path(), error);
  for (fs::directory_iterator file(kept.parent_path(), error), end; !error && file != end; file.increment(error)) {
    const std::string other = file->path().filename().string();
    if (other.size() == name.size() && other.starts_with(stem)) fs::remove(file->path(), ignored);
  }
  const std::string beside = kept.string() + "." + std::to_string(::getpid());
  fs::copy_file(made, beside, fs::copy_options::overwrite_existing, error);
  if (!error) fs::rename(beside, kept, error);
  if (error) fs::remove(beside, ignored);
}

}  // namespace rung

#include "cli/learn/built.h"

#include <fmt/format.h>
#include <unistd.h>

#include <functional>
#include <string_view>
#include <system_error>

#include "base/environment.h"

namespace rung {

namespace fs = std::filesystem;

std::optional<fs::path> program_in_path(const std::string& name) {
  for (const fs::path& folder : environment().program_folders) {
    if (::access((folder / name).c_str(), X_OK) == 0) return folder / name;
  }
  return std::nullopt;
}

std::string without_folder(std::string words, const fs::path& folder) {
  const std::string prefix = folder.string() + "/";
  for (std::size_t at = 0; (at = words.find(prefix, at)) != words.npos;) words.erase(at, prefix.size());
  return words;
}

bool stands_alone(const LearnerFolder& folder, const std::string& code) {
  constexpr std::string_view kInclude = "include";
  for (std::size_t at = 0; (at = code.find(kInclude, at)) != code.npos;) {
    const std::string_view before = std::string_view(code).substr(0, at);
    const std::size_t hash = before.find_last_not_of(" \t");
    at += kInclude.size();
    if (hash == before.npos || before[hash] != '#') continue;
    const std::size_t open = code.find_first_not_of(" \t", at);
    if (open == code.npos) return false;
    const std::string name = code.substr(open + 1, code.find_first_of("\">\n", open + 1) - open - 1);
    std::error_code ignored;
    const bool is_given = name == "learn.h" || name == "learn_metal.h";
    const bool is_system = code[open] == '<' && !fs::exists(folder.path() / name, ignored);
    if (!is_given && !is_system) return false;
  }
  return true;
}

fs::path built_path(const LearnerFolder& folder, const std::string& name, const std::string& made_of,
                    const char* ending) {
  return folder.path() / ".built" / fmt::format("{}-{:016x}{}", name, std::hash<std::string>()(made_of), ending);
}

void keep_built(const fs::path& made, const fs::path& kept) {
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

#include "files/folder.h"

#include <algorithm>

namespace rung {

const CompiledFile* Folder::compiled(std::string_view name) const {
  const auto file =
      std::find_if(compiled_.begin(), compiled_.end(), [&](const CompiledFile& f) { return f.name == name; });
  return file == compiled_.end() ? nullptr : &*file;
}

bool Folder::exists() const {
  std::error_code ignored;
  return !compiled_.empty() || std::filesystem::is_directory(path_, ignored);
}

bool Folder::has(std::string_view name) const {
  if (!compiled_.empty()) return compiled(name) != nullptr;
  std::error_code ignored;
  if (std::filesystem::exists(path_ / name, ignored)) return true;
  refuse_broken_link(path_ / name);
  return false;
}

std::vector<std::string> Folder::names_in(std::string_view folder) const {
  std::vector<std::string> names;
  const std::string prefix = folder.empty() ? "" : std::string(folder) + "/";
  for (const CompiledFile& file : compiled_) {
    if (!file.name.starts_with(prefix)) continue;
    const std::string_view name = file.name.substr(prefix.size());
    if (name.find('/') == std::string_view::npos) names.emplace_back(name);
  }
  std::error_code ignored;
  if (compiled_.empty()) {
    for (const auto& entry : std::filesystem::directory_iterator(path_ / folder, ignored)) {
      names.push_back(entry.path().filename().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

MappedFile Folder::open(std::string_view name) const {
  if (const CompiledFile* file = compiled(name)) return MappedFile::over(path_ / name, file->bytes);
  return MappedFile(path_ / name);
}

}  // namespace rung
